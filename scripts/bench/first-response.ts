/** From nothing to HTTP 200: images are there, everything else is made. */
import { pulumi } from "../../local/pulumi";
import { setUp } from "../../local/setup";
import { readOutputs } from "../outputs";
import { criticalPath, readState } from "./critical-path";
import { watchIdleCpu, type Figure } from "./report";

const STACK = "single-node";
/** Links of the critical path that are worth a line. */
const WORTH_SECONDS = 0.3;

export async function firstResponse(): Promise<Figure[]> {
  delete process.env.ARCHIPELAGO_MACHINES;
  const idle = watchIdleCpu();
  const started = new Date();
  const local = await setUp();
  if (local.daemon.machines === "simulated") throw new Error("first-response needs real machines");
  const prepared = Date.now();
  const up = await pulumi(local, ["up", STACK, "--yes", "--skip-preview"], "capture");
  if (up.code !== 0) throw new Error(`pulumi up failed:\n${up.stdout}${up.stderr}`);
  const outputs = await pulumi(local, ["stack", "output", "--json", STACK], "capture");
  const { url } = readOutputs(outputs.stdout);
  const response = await fetch(url ?? "");
  const seconds = (Date.now() - started.getTime()) / 1000;
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const state = await pulumi(local, ["stack", "export", STACK], "capture");
  const path = criticalPath(readState(state.stdout), new Date(prepared));
  return [
    {
      figure: "from nothing to HTTP 200, single-node with database",
      value: seconds,
      unit: "s",
      details: {
        "set-up and API": `${((prepared - started.getTime()) / 1000).toFixed(1)} s`,
        "critical path": path
          .filter((link) => link.seconds >= WORTH_SECONDS)
          .map(({ name, type, seconds: took }) => `${type} ${name} ${took.toFixed(1)} s`)
          .join(" → "),
        "CPU left": `${Math.round(idle() * 100)} %`,
      },
    },
  ];
}

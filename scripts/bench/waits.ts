/** Whether `up` waits for nothing but DigitalOcean: its time against the longest dependency path of waits. */
import { settings } from "../../local/daemon/settings";
import { dropletTransitions } from "../../local/api/droplets/lifecycle";
import { reservedIpTransitions } from "../../local/api/reserved-ips/lifecycle";
import { volumeTransitions } from "../../local/api/volumes/lifecycle";
import { pulumi } from "../../local/pulumi";
import { setUp } from "../../local/setup";
import { longestPath, readState } from "./critical-path";
import { watchIdleCpu, type Figure } from "./report";

/** What the local DigitalOcean does, in its time, when a resource is created. */
const WAITS: Readonly<Record<string, string>> = {
  Droplet: "droplet.create",
  VolumeAttachment: "volume.attach",
  ReservedIpAssignment: "reserved-ip.assign",
};

function secondsOf(name: string | undefined): number {
  if (name === undefined) return 0;
  const transition = { ...dropletTransitions, ...volumeTransitions, ...reservedIpTransitions }[
    name
  ];
  if (!transition) throw new Error(`the local DigitalOcean has no transition ${name}`);
  return transition.seconds;
}

export async function waits(): Promise<Figure[]> {
  process.env.ARCHIPELAGO_MACHINES = "simulated";
  settings({ progress: "realistic" });
  const local = await setUp();
  const idle = watchIdleCpu();
  const started = Date.now();
  const up = await pulumi(local, ["up", "single-node", "--yes", "--skip-preview"], "capture");
  const seconds = (Date.now() - started) / 1000;
  if (up.code !== 0) throw new Error(`pulumi up failed:\n${up.stdout}${up.stderr}`);
  const state = await pulumi(local, ["stack", "export", "single-node"], "capture");
  const path = longestPath(readState(state.stdout), ({ type }) =>
    secondsOf(WAITS[type.split(":").at(-1) ?? ""]),
  );
  const longest = path.reduce((sum, link) => sum + link.seconds, 0);
  return [
    {
      figure: "up / longest path of DigitalOcean's waits",
      value: seconds / longest,
      unit: "ratio",
      goal: 1.05,
      details: {
        up: `${seconds.toFixed(1)} s`,
        path: path.map(({ type, seconds: wait }) => `${type} ${wait} s`).join(" → "),
        "beyond the path": `${(seconds - longest).toFixed(1)} s`,
        "CPU left": `${Math.round(idle() * 100)} %`,
      },
    },
  ];
}

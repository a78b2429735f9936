/** What a fleet costs the engine as it grows: processor time, memory and API calls, from 10 to 1,000 simulated nodes. */
import * as fs from "node:fs";
import * as path from "node:path";
import { localDir } from "../../local/paths";
import { pulumi, type LocalEngine } from "../../local/pulumi";
import { setUp } from "../../local/setup";
import { cpuSecondsOfChildren, watchIdleCpu, type Figure } from "./report";

const SIZES = [10, 100, 1000];
const MANAGERS = 3;
const SAMPLE_MS = 200;

interface Run {
  readonly nodes: number;
  readonly seconds: number;
  /** Of the engine, the program and its plugins together. */
  readonly cpuSeconds: number;
  /** Peak resident memory of the engine. */
  readonly engineMib: number;
  readonly calls: number;
}

/** The engine writes the state at the end only, instead of with each resource. */
const NO_CHECKPOINTS = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

export async function nodes(): Promise<Figure[]> {
  process.env.ARCHIPELAGO_MACHINES = "simulated";
  const stacks = path.join(localDir(), "stack-files");
  fs.mkdirSync(stacks, { recursive: true });
  process.env.ARCHIPELAGO_STACKS = stacks;
  try {
    const local = await setUp();
    return [
      ...(await growth({ ...local, environment: NO_CHECKPOINTS }, "checkpoints off")),
      ...(await growth(local, "checkpoints on")),
    ];
  } finally {
    delete process.env.ARCHIPELAGO_STACKS;
  }
}

/** @returns CPU per node of the largest fleet against the middle one: 1 = it grows in proportion. */
async function growth(local: LocalEngine, how: string): Promise<Figure[]> {
  const idle = watchIdleCpu();
  const runs: Run[] = [];
  for (const size of SIZES) runs.push(await measure(local, size));
  const [first, ...rest] = runs;
  const [middle, last] = rest;
  if (!first || !middle || !last) throw new Error("there must be three sizes");
  // What one more node takes: the engine's start is in none of them.
  const each = (from: Run, to: Run, of: "cpuSeconds" | "calls") =>
    (to[of] - from[of]) / (to.nodes - from.nodes);
  const details = {
    ...Object.fromEntries(
      runs.map((run) => [
        `${run.nodes} nodes`,
        `${run.seconds.toFixed(0)} s, CPU ${run.cpuSeconds.toFixed(1)} s, engine ${run.engineMib} MiB, ` +
          `${run.calls} calls (${(run.calls / run.seconds).toFixed(1)}/s)`,
      ]),
    ),
    "CPU left": `${Math.round(idle() * 100)} %`,
  };
  return [
    {
      figure: `CPU of a node more: ${middle.nodes} to ${last.nodes} / ${first.nodes} to ${middle.nodes} nodes, ${how}`,
      value: each(middle, last, "cpuSeconds") / each(first, middle, "cpuSeconds"),
      unit: "ratio",
      goal: 1.2,
      details,
    },
    {
      figure: `API calls of a node more, the same way, ${how}`,
      value: each(middle, last, "calls") / each(first, middle, "calls"),
      unit: "ratio",
      goal: 1.05,
      details: { "calls per node": each(middle, last, "calls").toFixed(2) },
    },
  ];
}

async function measure(local: LocalEngine, size: number): Promise<Run> {
  const stack = `fleet-${size}`;
  const config = {
    topology: "swarm",
    region: "fra1",
    managers: MANAGERS,
    workers: size - MANAGERS,
    database: "none",
    services: { web: { image: "example/web:1", port: 3000, routes: ["/"] } },
  };
  const keys = Object.entries(config).map(([key, value]) => [`archipelago:${key}`, value]);
  // JSON is YAML.
  const text = JSON.stringify({ config: Object.fromEntries(keys) as object });
  fs.writeFileSync(path.join(process.env.ARCHIPELAGO_STACKS ?? "", `Pulumi.${stack}.yaml`), text);

  const [before, cpu, started] = [await requests(local), cpuSecondsOfChildren(), Date.now()];
  const memory = watchEngineMemory();
  const up = await pulumi(local, ["up", stack, "--yes", "--skip-preview"], "capture");
  const seconds = (Date.now() - started) / 1000;
  const engineMib = memory();
  if (up.code !== 0) throw new Error(`pulumi up failed:\n${up.stdout}${up.stderr}`);
  const after = await requests(local);
  const run = {
    nodes: size,
    seconds,
    cpuSeconds: cpuSecondsOfChildren() - cpu,
    engineMib,
    calls: after - before,
  };
  const down = await pulumi(local, ["destroy", stack, "--yes", "--skip-preview"], "capture");
  if (down.code !== 0) throw new Error(`pulumi destroy failed:\n${down.stdout}${down.stderr}`);
  return run;
}

/** @returns a function that ends the watch and tells the engine's peak resident memory in MiB; 0 where there is no /proc. */
function watchEngineMemory(): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    for (const pid of fs.existsSync("/proc/self") ? fs.readdirSync("/proc") : []) {
      if (/^\d+$/.test(pid)) peak = Math.max(peak, peakOf(pid));
    }
  }, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    return Math.round(peak / 1024);
  };
}

/** Peak resident memory in KiB of an engine that this process has started; of others 0. */
function peakOf(pid: string): number {
  let status: string;
  try {
    status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return 0;
  }
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1];
  const ours = field("Name") === "pulumi" && field("PPid") === String(process.pid);
  return ours ? Number(field("VmHWM") ?? 0) : 0;
}

/** How much the API has been asked since it started. */
async function requests({ daemon }: LocalEngine): Promise<number> {
  const response = await fetch(`${daemon.url}/_local/state`, {
    headers: { authorization: `Bearer ${daemon.token}` },
  });
  if (!response.ok) throw new Error(`the local API answers ${response.status}`);
  return ((await response.json()) as { requests: number }).requests;
}

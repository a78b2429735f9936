/** Runs the backup agent beside us, and looks at its clock and its memory. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Event } from "../../components/backup/agent/progress";
import { Fault } from "../../local/fault";
import { checkout } from "../../local/paths";
import type { AgentTask } from "./backup-agent";
import { MIB } from "./beside";
import { treeBytes } from "./proc";

const LOOK_MS = 50;

export interface AgentRun {
  /** From when it knew what to do. */
  readonly seconds: number;
  /** Of the agent and the programs that it runs, at the same time. */
  readonly peakMib: number;
  /** What it said it began, and how long that took. */
  readonly phases: readonly { readonly what: string; readonly seconds: number }[];
  readonly done: Readonly<Record<string, unknown>>;
}

/** @param env beside ours. */
export async function runAgent(
  task: AgentTask,
  env: Readonly<Record<string, string>>,
): Promise<AgentRun> {
  const program = [join(checkout, "build/run.cjs"), "scripts/bench/backup-agent.ts"];
  const child = spawn(process.execPath, program, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4096)));
  child.stdin.end(JSON.stringify(task));
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  let peak = 0;
  let timer: NodeJS.Timeout | undefined;
  const look = () => (peak = Math.max(peak, treeBytes(child.pid ?? 0)));
  const begun: { what: string; at: number }[] = [];
  let done: Readonly<Record<string, unknown>> | undefined;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as Event;
      timer ??= setInterval(look, LOOK_MS);
      if (event.event === "note" && begun.length === 0) begun.push({ what: "start", at: now() });
      if (event.event === "begins") begun.push({ what: event.what, at: now() });
      if (event.event === "done") {
        done = event;
        begun.push({ what: "done", at: now() });
      }
    }
  } finally {
    clearInterval(timer);
  }
  if ((await code) !== 0 || done === undefined) throw new Fault(`the agent failed: ${stderr}`);
  const phases = begun.slice(0, -1).map(({ what, at }, index) => ({
    what,
    seconds: (begun[index + 1]?.at ?? at) - at,
  }));
  const took = phases.reduce((sum, each) => sum + each.seconds, 0);
  return { seconds: took, peakMib: peak / MIB, phases, done };
}

const now = () => performance.now() / 1000;

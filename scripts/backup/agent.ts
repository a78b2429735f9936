/** Talks to a stack's backup agent: a command inside its task, whose lines of JSON say what goes on. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import pc from "picocolors";
import { z } from "zod";
import { loader } from "../../components/bundle";
import { CODE_FILE } from "../../components/backup/settings";
import { Fault } from "../../local/fault";
import { runInside, runningTask, type RunningTask } from "../operator/one-off";
import type { Target } from "../operator/target";

const event = z.looseObject({
  event: z.enum(["begins", "bytes", "note", "failed", "archived", "stop", "done"]),
  what: z.string().optional(),
  total: z.number().optional(),
  bytes: z.number().optional(),
  text: z.string().optional(),
  backup: z.string().optional(),
  services: z.array(z.string()).readonly().optional(),
});

export type AgentEvent = z.infer<typeof event>;

/** Does something while no task of some services runs, and starts them again. */
export type WhileStopped = (
  services: readonly string[],
  work: () => Promise<void>,
) => Promise<void>;

/**
 * @param mode of the agent's program.
 * @param request a line for its input, which stays open: when this process ends, the agent hears of it.
 * @returns its exit status.
 * @throws {Fault} when the stack has no agent that runs.
 */
export async function askAgent(
  target: Target,
  mode: "run" | "list" | "restore",
  onEvent: (event: AgentEvent) => void,
  request?: unknown,
  whileStopped?: WhileStopped,
): Promise<number> {
  if (target.outputs.backup === undefined) {
    throw new Fault(
      `The stack ${target.stack} makes no backups: add archipelago:backup to its file (npm run backup -- keygen makes the key) and run \`up\`.`,
    );
  }
  const task = await runningTask(target, "backup");
  return askTask(task, [loader(CODE_FILE), mode], onEvent, request, whileStopped);
}

/** @param program of Node.js, and its arguments, in the task. */
export async function askTask(
  task: RunningTask,
  program: readonly [string, ...string[]],
  onEvent: (event: AgentEvent) => void,
  request?: unknown,
  whileStopped?: WhileStopped,
): Promise<number> {
  const lines = new PassThrough();
  let complaint = "";
  const stdin = new Readable({ read: () => undefined });
  if (request !== undefined) stdin.push(`${JSON.stringify(request)}\n`);
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  let stopping: Promise<void> | undefined;
  const reader = createInterface({ input: lines }).on("line", (line) => {
    const parsed = event.safeParse(jsonOf(line));
    if (!parsed.success) return;
    onEvent(parsed.data);
    if (parsed.data.event !== "stop" || whileStopped === undefined) return;
    stopping = whileStopped(parsed.data.services ?? [], async () => {
      stdin.push("stopped\n");
      await ended;
    });
    // Told of its end, the agent leaves everything as it was.
    stopping.catch(() => stdin.push(null));
  });
  const read = once(reader, "close");
  try {
    const code = await runInside(task, ["node", "-e", ...program], {
      ...(request !== undefined && { stdin }),
      onStdout: (chunk) => lines.write(chunk),
      onStderr: (chunk) => (complaint += chunk.toString()),
    });
    lines.end();
    await read;
    if (complaint.trim() !== "") throw new Error(complaint.trim());
    return code;
  } finally {
    stdin.destroy();
    lines.destroy();
    end();
    await stopping;
  }
}

/** Shows an operator what goes on: on a terminal one line that moves, else a line for each step. */
export class Follower {
  private step = { what: "", total: 0, since: 0 };
  private open = false;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  readonly show = (event: AgentEvent): void => {
    switch (event.event) {
      case "begins":
        this.finishLine();
        this.step = { what: event.what ?? "", total: event.total ?? 0, since: Date.now() };
        this.line(`${this.step.what}${this.step.total > 0 ? `, ${size(this.step.total)}` : ""}`);
        break;
      case "bytes":
        if (this.out.isTTY) this.line(this.measured(event.bytes ?? 0));
        break;
      case "note":
        this.finishLine();
        this.out.write(`${event.text ?? ""}\n`);
        break;
      case "failed":
        this.finishLine();
        this.out.write(`${pc.red(event.text ?? "failed")}\n`);
        break;
      case "archived":
      case "stop":
      case "done":
        this.finishLine();
    }
  };

  private measured(bytes: number): string {
    const { what, total, since } = this.step;
    const seconds = Math.max(1, Date.now() - since) / 1000;
    const rate = bytes / seconds;
    const left = rate > 0 ? Math.max(0, total - bytes) / rate : 0;
    return `${what}, ${size(bytes)} of about ${size(total)}, ${size(rate)}/s, ${Math.ceil(left)} s left`;
  }

  private line(text: string): void {
    if (!this.out.isTTY) this.out.write(`${text}\n`);
    else {
      this.out.write(`\r\u001b[2K${text}`);
      this.open = true;
    }
  }

  private finishLine(): void {
    if (this.open) this.out.write("\n");
    this.open = false;
  }
}

/** `1.5 MiB`. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? ""}`;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

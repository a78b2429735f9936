/** A command of this checkout, as an operator types it, on the drill's cloud. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { checkout } from "../../local/paths";

const event = z.looseObject({ event: z.string(), text: z.string().optional() });

export type CommandEvent = z.infer<typeof event>;

export interface Ended {
  /** Undefined when it was killed. */
  readonly code: number | undefined;
  readonly events: readonly CommandEvent[];
  /** All of its standard output. */
  readonly stdout: string;
  /** What it said on standard error, and events that tell of failures. */
  readonly complaint: string;
}

/**
 * @param words with `--json`, where its events are wanted.
 * @param onEvent may end it: `kill` sends SIGKILL, as a closed laptop would.
 */
export async function operate(
  words: readonly string[],
  onEvent: (event: CommandEvent, kill: () => void) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, ["scripts/setup.cjs", ...words], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const events: CommandEvent[] = [];
  let complaint = "";
  let stdout = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  createInterface({ input: child.stdout }).on("line", (line) => {
    stdout += `${line}\n`;
    const parsed = event.safeParse(jsonOf(line));
    if (!parsed.success) return;
    events.push(parsed.data);
    if (parsed.data.event === "failed") complaint += `${parsed.data.text ?? ""}\n`;
    onEvent(parsed.data, () => child.kill("SIGKILL"));
  });
  const code = await new Promise<number | undefined>((resolve, reject) => {
    child.once("error", reject).once("close", (status) => resolve(status ?? undefined));
  });
  return { code, events, stdout, complaint };
}

/** @returns its last event that says what was done. @throws {Error} with what it complained about. */
export async function mustOperate(words: readonly string[]): Promise<CommandEvent> {
  const { code, events, complaint } = await operate(words);
  const done = events.findLast(({ event }) => event === "done");
  if (code === 0 && done !== undefined) return done;
  throw new Error(`npm run ${words.slice(0, 3).join(" ")} ended with ${code}: ${complaint}`);
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

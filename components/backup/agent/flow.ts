import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";

/** A program and how it is called. */
export interface Command {
  readonly command: readonly [string, ...string[]];
  /** Beside this process' own. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Who runs it. @default this process' user */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
}

/** What data goes through: a program, or a stream of ours. */
type Step = Command | Duplex;

/** As much of what a program complains about as is repeated. */
const TAIL_BYTES = 2000;

/** A program failed. */
export class ProgramFailed extends Error {
  constructor(
    message: string,
    /** Of the program that is to blame. */
    readonly status: number | undefined,
  ) {
    super(message);
  }
}

/** Starts a program. @returns it, and its end: rejected with its last words when that is not well. */
export function start({ command, env, as }: Command, stdio: SpawnOptions["stdio"] = "pipe") {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio, env: { ...process.env, ...env }, ...as });
  let tail = "";
  child.stderr?.on(
    "data",
    (chunk: Buffer) => (tail = (tail + chunk.toString()).slice(-TAIL_BYTES)),
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const missing = error.code === "ENOENT";
      const message = missing ? `${program} is not installed` : `${program}: ${error.message}`;
      reject(new ProgramFailed(message, undefined));
    });
    child.once("close", (code, signal) => {
      if (code === 0) return resolve();
      const words = tellingLines(tail) || `ended with ${code ?? signal}`;
      reject(new ProgramFailed(`${program}: ${words}`, code ?? undefined));
    });
  });
  // Whoever waits for it hears of it; that may be later.
  ended.catch(() => undefined);
  return { child, ended };
}

/**
 * Lets data flow through programs and streams, from the first one's output to the last one's input.
 *
 * @param steps the first one a program or a readable, the last one a program or a writable.
 * @throws {ProgramFailed} when any of the programs fails: with what each of them said.
 */
export async function flow(
  first: Command | Readable,
  steps: readonly Step[],
  last: Command | Writable,
  signal?: AbortSignal,
): Promise<void> {
  const started: ReturnType<typeof start>[] = [];
  const run = (step: Command) => {
    const program = start(step);
    started.push(program);
    return program.child as ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable };
  };
  const links: Promise<void>[] = [];
  const link = (from: Readable, to: Writable) => {
    const linked = pipeline(from, to, { ...(signal && { signal }) });
    // Heard of when the programs have ended; until then nobody waits for it, which would end this process.
    linked.catch(() => undefined);
    links.push(linked);
  };
  let output = isCommand(first) ? endInput(run(first)) : first;
  for (const step of steps) {
    const through = isCommand(step) ? run(step) : undefined;
    link(output, through?.stdin ?? (step as Duplex));
    output = through?.stdout ?? (step as Duplex);
  }
  if (isCommand(last)) {
    const end = run(last);
    link(output, end.stdin);
    end.stdout.resume();
  } else link(output, last);
  const stop = () => started.forEach(({ child }) => child.kill());
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const ends = await Promise.allSettled(started.map(({ ended }) => ended));
    const streams = await Promise.allSettled(links);
    signal?.throwIfAborted();
    const failures = ends.flatMap((end) =>
      end.status === "rejected" ? [asError(end.reason)] : [],
    );
    // A program that ends because its neighbour is gone is not to blame.
    const telling = failures.filter(({ message }) => !/SIGPIPE|[Bb]roken pipe|EPIPE/.test(message));
    const [blamed] = telling.length > 0 ? telling : failures;
    if (blamed !== undefined) {
      const words = (telling.length > 0 ? telling : failures).map(({ message }) => message);
      throw new ProgramFailed(words.join("; "), (blamed as ProgramFailed).status);
    }
    const broken = streams.find((stream) => stream.status === "rejected");
    if (broken) throw asError(broken.reason);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Runs a program with a text as its input. @returns what it printed. */
export async function textOf(command: Command, input = "", signal?: AbortSignal): Promise<string> {
  const { child, ended } = start(command);
  const { stdin, stdout } = child as ChildProcess & { stdin: Writable; stdout: Readable };
  const chunks: Buffer[] = [];
  const kill = () => child.kill();
  signal?.addEventListener("abort", kill, { once: true });
  stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  stdin.on("error", () => undefined).end(input);
  try {
    await ended;
  } finally {
    signal?.removeEventListener("abort", kill);
  }
  return Buffer.concat(chunks).toString();
}

/** A program's output as a stream that fails when the program does, even at its very end. */
export function outputOf(command: Command, signal?: AbortSignal): Readable {
  const { child, ended } = start(command);
  const { stdin, stdout } = child as ChildProcess & { stdin: Writable; stdout: Readable };
  stdin.end();
  const output = new PassThrough();
  const kill = () => child.kill();
  signal?.addEventListener("abort", kill, { once: true });
  output.once("close", kill);
  stdout.pipe(output, { end: false });
  ended.then(
    () => output.end(),
    (error: Error) => output.destroy(error),
  );
  return output;
}

/** Those that speak of an error, else the last ones. */
function tellingLines(text: string): string {
  const lines = text.trim().split("\n");
  const errors = lines.filter((line) => /FATAL|ERROR|error|damaged|denied/.test(line));
  return (errors.length > 0 ? errors : lines).slice(-4).join("\n");
}

const isCommand = (step: Step | Readable | Writable): step is Command => "command" in step;

function endInput(child: ChildProcess & { stdin: Writable; stdout: Readable }): Readable {
  child.stdin.end();
  return child.stdout;
}

const asError = (reason: unknown) =>
  reason instanceof Error ? reason : new Error("it failed without a word");

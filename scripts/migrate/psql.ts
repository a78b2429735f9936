/** A psql that is told one thing after the other: the same on this machine, and in a container of a stack. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";

/** How psql is called: nothing but what is asked for, stop at the first error, no file of the user's. */
export const PSQL_FLAGS = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"] as const;

/** Runs psql with these streams, and answers its exit status. */
export type StartPsql = (streams: {
  readonly stdin: Readable;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
}) => Promise<number>;

export interface LocalProgramOptions {
  /** @default this process's */
  readonly env?: NodeJS.ProcessEnv;
  /** Apart from the terminal: Ctrl-C is this process's, which ends what it has begun. @default false */
  readonly detached?: boolean;
  /** Gets the process, to kill it. */
  readonly started?: ((child: ChildProcess) => void) | undefined;
}

/** psql, or what speaks as it does, on this machine. */
export function localProgram(
  [file = "", ...args]: readonly string[],
  { env = process.env, detached = false, started }: LocalProgramOptions = {},
): StartPsql {
  return ({ stdin, onStdout, onStderr }) => {
    const child = spawn(file, args, { env, detached });
    started?.(child);
    stdin.pipe(child.stdin);
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", onStdout);
    child.stderr.on("data", onStderr);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
  };
}

/** What is printed, which may be longer than a string can be. Empty lines are left out. */
class Lines {
  private whole: string[] = [];
  /** Of the line that has not ended. */
  private readonly begun: Buffer[] = [];

  add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", start)) {
      const line = Buffer.concat([...this.begun.splice(0), chunk.subarray(start, end)]).toString();
      if (line !== "") this.whole.push(line);
      start = end + 1;
    }
    if (start < chunk.length) this.begun.push(chunk.subarray(start));
  }

  /** @returns undefined when the line that ends an answer has not come yet. */
  before(last: string): string[] | undefined {
    if (this.whole.at(-1) !== last) return undefined;
    const answer = this.whole.slice(0, -1);
    this.whole = [];
    return answer;
  }
}

/** The server refused a statement, or psql ended. The message is PostgreSQL's own. */
export class PsqlError extends Error {
  override readonly name = "PsqlError";
}

/**
 * One session. When this process dies, psql reads the end of its input and ends as well, and with it the open transaction.
 */
export class Psql {
  private readonly input = new PassThrough();
  private readonly ended: Promise<number>;
  private readonly answers = new Lines();
  private stderr = "";
  private failure: Error | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private wake: () => void = () => undefined;

  constructor(start: StartPsql) {
    this.ended = start({
      stdin: this.input,
      onStdout: (chunk) => {
        this.answers.add(chunk);
        this.wake();
      },
      onStderr: (chunk) => {
        this.stderr = (this.stderr + chunk.toString()).slice(-8192);
      },
    });
    const over = (failure: Error) => {
      this.failure = failure;
      this.input.destroy();
      this.wake();
    };
    this.ended.then(
      (code) => over(new PsqlError(this.complaint() || `psql ended with status ${code}`)),
      (error: Error) => over(error),
    );
  }

  /**
   * Runs SQL, one or several statements, each with its semicolon, after whatever the session was told before.
   *
   * @returns the lines that it printed: columns are separated by `|`.
   * @throws {PsqlError} when one fails; the session is over then.
   */
  run(sql: string): Promise<string[]> {
    const answer = this.turn.then(() => this.ask(sql));
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  private async ask(sql: string): Promise<string[]> {
    const mark = `done ${randomUUID()}`;
    await this.write(`${sql}\n\\echo ${mark}\n`);
    for (;;) {
      const said = this.answers.before(mark);
      if (said) return said;
      if (this.failure) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** A query's single value. */
  async value(sql: string): Promise<string> {
    return (await this.run(sql))[0] ?? "";
  }

  /** Sends text for psql to read, as fast as it reads: COPY's rows. @throws what ended the session, if it did. */
  async write(text: string | Buffer): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.input.write(text)) return;
    await Promise.race([once(this.input, "drain"), this.ended]);
    // The end is told apart from a pause by the handlers above, which run first.
    if (this.input.destroyed) throw this.failure ?? new PsqlError(this.complaint());
  }

  /** Ends the session; an open transaction is rolled back. */
  async end(): Promise<void> {
    this.input.end();
    await this.ended.catch(() => undefined);
  }

  private complaint(): string {
    return this.stderr
      .trim()
      .replace(/^psql:<stdin>:\d+: /gm, "")
      .replace(/^ERROR: {2}/m, "");
  }
}

import { PassThrough } from "node:stream";
import Docker from "dockerode";

/** What a command in a container left behind. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The engine that this machine's tools use: `DOCKER_HOST` where it is set, else the default socket.
 *
 * @throws {Error} never: whether anything answers there is for `preflight` to say.
 */
export function connectEngine(): Docker {
  return new Docker();
}

/** True for the engine's "no such object" answer. */
export function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404;
}

/** True when the engine says that there is nothing to do, or that the name is taken. */
export function isAlreadySo(error: unknown): boolean {
  const status = statusOf(error);
  return status === 304 || status === 409;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error ? Number(error.statusCode) : undefined;
}

/** The engine's own words, without dockerode's `(HTTP code …)` in front. */
export function engineMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^\(HTTP code \d+\) [a-z ]+ - /, "").trim();
}

/** Runs the call and answers undefined where the object does not exist. */
export async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** True when the engine has an image of that name. */
export async function hasImage(docker: Docker, name: string): Promise<boolean> {
  return (await orMissing(docker.getImage(name).inspect())) !== undefined;
}

/** Runs a command in a running container, with `stdin` as its whole input. */
export async function execIn(
  container: Docker.Container,
  command: readonly string[],
  stdin = "",
): Promise<ExecResult> {
  const exec = await container.exec({
    Cmd: [...command],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const modem = container.modem as Docker["modem"];
  modem.demuxStream(stream, stdout, stderr);
  const closed = new Promise<void>((resolve, reject) => {
    stream.on("error", reject);
    stream.on("end", () => {
      stdout.end();
      stderr.end();
      resolve();
    });
  });
  const texts = Promise.all([textOf(stdout), textOf(stderr)]);
  stream.end(stdin);
  await closed;
  const [out, err] = await texts;
  const { ExitCode } = await exec.inspect();
  return { exitCode: ExitCode ?? -1, stdout: out, stderr: err };
}

/**
 * Like `execIn`, for commands that must succeed.
 *
 * @throws {Error} when the command ends with a status other than 0: what was tried, and what it said.
 */
export async function execOrThrow(
  container: Docker.Container,
  purpose: string,
  command: readonly string[],
  stdin = "",
): Promise<string> {
  const result = await execIn(container, command, stdin);
  if (result.exitCode !== 0) {
    const said = (result.stderr || result.stdout).trim();
    throw new Error(`could not ${purpose}: ${said || `exit status ${result.exitCode}`}`);
  }
  return result.stdout;
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString("utf8");
}

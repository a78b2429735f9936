import { spawn, type StdioOptions } from "node:child_process";

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunToEndOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Shown as it comes, with this process's input; or kept for the result. */
  readonly output: "inherit" | "capture";
}

/**
 * Runs a program that tidies up when it is interrupted, as Pulumi does: this process stays until it has.
 *
 * @throws {Error} when it cannot be started.
 */
export function runToEnd(
  program: string,
  args: readonly string[],
  { cwd, env, output }: RunToEndOptions,
): Promise<Result> {
  const stdio: StdioOptions = output === "inherit" ? "inherit" : ["ignore", "pipe", "pipe"];
  const child = spawn(program, args, { cwd, env, stdio });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  // The terminal sends Ctrl-C to it as well.
  const stay = () => undefined;
  process.on("SIGINT", stay);
  const forward = () => child.kill("SIGTERM");
  process.on("SIGTERM", forward);
  return new Promise<Result>((done, failed) => {
    child.once("error", failed);
    child.once("close", (code, signal) =>
      done({ code: code ?? (signal === "SIGINT" ? 130 : 1), stdout, stderr }),
    );
  }).finally(() => {
    process.removeListener("SIGINT", stay);
    process.removeListener("SIGTERM", forward);
  });
}

/** Commands in the containers of a drill's stack. */
import { runInside, runningTask } from "../operator/one-off";
import type { Ground } from "./ground";

interface Options {
  /** @default none */
  readonly stdin?: string;
  /** @default the image's */
  readonly user?: string;
}

/** Runs a command in a task of a service. @returns its standard output. @throws {Error} with its complaint, when it fails. */
export async function inService(
  ground: Ground,
  service: string,
  command: readonly string[],
  { stdin, user }: Options = {},
): Promise<string> {
  const task = await runningTask(await ground.target(), service);
  let stdout = "";
  let stderr = "";
  const code = await runInside(
    task,
    command,
    {
      stdin,
      onStdout: (chunk) => (stdout += chunk.toString()),
      onStderr: (chunk) => (stderr += chunk.toString()),
    },
    user,
  );
  if (code === 0) return stdout;
  throw new Error(`${command[0]} in ${service} ended with ${code}: ${stderr.trim()}`);
}

export const linesOf = (text: string) => text.split("\n").filter((line) => line !== "");

/** What the database of a drill's stack has, asked where its container runs. */
import { runInside, runningTask } from "../operator/one-off";
import { type Ground, STACK } from "./ground";

/** Runs SQL as the container's superuser. @returns lines of its answer. @throws {Error} when it fails. */
export async function askContainer(ground: Ground, sql: string): Promise<string[]> {
  const task = await runningTask({ stack: STACK, outputs: await ground.outputs() }, "postgres");
  let stdout = "";
  let stderr = "";
  const code = await runInside(
    task,
    ["psql", "-U", "postgres", "-d", "app", "-At", "-v", "ON_ERROR_STOP=1", "-f", "-"],
    {
      stdin: sql,
      onStdout: (chunk) => (stdout += chunk.toString()),
      onStderr: (chunk) => (stderr += chunk.toString()),
    },
    "postgres",
  );
  if (code !== 0) throw new Error(`psql ended with ${code}: ${stderr.trim()}`);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Texts of the notes that a drill wrote. @param mark begins each of them. */
export const storedNotes = async (ground: Ground, mark: string): Promise<ReadonlySet<string>> =>
  new Set(await askContainer(ground, `SELECT text FROM notes WHERE text LIKE '${mark}-%';`));

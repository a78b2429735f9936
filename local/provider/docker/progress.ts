import type Docker from "dockerode";
import type { Values } from "../framework/values";

/** Lines of the output that an error repeats. */
const LOG_LINES = 20;

/**
 * Follows a pull, build or push to its end and gives what it told besides its output (`aux`): an ID, a digest.
 *
 * @throws {Error} with the last lines of its output
 */
export async function follow(
  engine: Docker,
  what: string,
  output: NodeJS.ReadableStream,
): Promise<Values[]> {
  const log: string[] = [];
  const told: Values[] = [];
  let failure: string | undefined;
  await new Promise<void>((resolve, reject) => {
    engine.modem.followProgress(
      output,
      (error) => (error && !failure ? reject(error) : resolve()),
      (event: { stream?: string; error?: string; aux?: Values }) => {
        log.push(...(event.stream ?? "").split("\n").filter((line) => line.trim() !== ""));
        failure ??= event.error;
        if (event.aux) {
          told.push(event.aux);
        }
      },
    );
  });
  if (failure) {
    const tail = log.slice(-LOG_LINES).join("\n");
    throw new Error(`${what}: ${failure}${tail ? `\n${tail}` : ""}`);
  }
  return told;
}

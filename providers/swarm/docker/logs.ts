import type Docker from "dockerode";

/** Lines shown beside a failure. */
const LINES = 15;

/** The last lines that a task wrote, oldest first; none when they cannot be had in a few seconds. */
export async function lastTaskLogLines(engine: Docker, taskId: string): Promise<string[]> {
  try {
    const answer: unknown = await new Promise((resolve, reject) =>
      engine.modem.dial(
        {
          path: `/tasks/${taskId}/logs?`,
          method: "GET",
          options: { stdout: true, stderr: true, tail: String(LINES) },
          abortSignal: AbortSignal.timeout(5000),
          statusCodes: { 200: true },
        },
        (error: unknown, data: unknown) =>
          error ? reject(error instanceof Error ? error : new Error("no logs")) : resolve(data),
      ),
    );
    const text = Buffer.isBuffer(answer) ? demultiplex(answer) : "";
    return text.split("\n").filter(Boolean).slice(-LINES);
  } catch {
    return [];
  }
}

/**
 * The text of Docker's multiplexed log stream: frames of an 8-byte header (stream, 0, 0, 0, big-endian length) and that
 * many bytes. Source: https://docs.docker.com/reference/api/engine/ (Container attach, stream format).
 */
export function demultiplex(stream: Buffer): string {
  const parts: Buffer[] = [];
  for (let offset = 0; offset + 8 <= stream.length;) {
    const end = offset + 8 + stream.readUInt32BE(offset + 4);
    parts.push(stream.subarray(offset + 8, end));
    offset = end;
  }
  return Buffer.concat(parts).toString();
}

/** Writes rows through the front, and remembers which were acknowledged. */
import { setTimeout as delay } from "node:timers/promises";
import { type Front, reasonOf, TIMEOUT_MS, visitors } from "./load";

/** Between an answer and the next write. */
const PAUSE_MS = 100;

export interface Written {
  /** Texts of rows whose write was answered as done. */
  readonly acknowledged: readonly string[];
  /** Writes that were answered otherwise, or not at all: what became of them is open. */
  readonly failures: readonly string[];
  /** Longest time from one acknowledged write to the next, less the writer's own pause. */
  readonly pauseMs: number;
}

export interface Writer {
  stop(): Promise<Written>;
}

/**
 * Adds notes to the sample app one after the other, none of them a second time.
 *
 * @param mark begins every row's text.
 */
export function startWriter(front: Front, mark: string): Writer {
  const visit = visitors(front);
  const url = new URL("/api/notes", front.url).href;
  const acknowledged: string[] = [];
  const failures: string[] = [];
  let going = true;
  let last = Date.now();
  let pauseMs = 0;
  const writing = (async () => {
    for (let number = 0; going; number++) {
      const text = `${mark}-${number}`;
      try {
        const { statusCode, body } = await visit.request(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ text }),
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        await body.arrayBuffer();
        if (statusCode === 201) {
          acknowledged.push(text);
          pauseMs = Math.max(pauseMs, Date.now() - last - PAUSE_MS);
          last = Date.now();
        } else failures.push(`HTTP ${statusCode} to a write`);
      } catch (error) {
        failures.push(`${reasonOf(error)} to a write`);
      }
      await delay(PAUSE_MS);
    }
  })();
  return {
    async stop() {
      going = false;
      await writing;
      await visit.close();
      return { acknowledged, failures, pauseMs };
    },
  };
}

/** Has `task` done while they write. @returns what it came to, and what each has written meanwhile. */
export async function whileWriting<T>(writers: readonly Writer[], task: () => Promise<T>) {
  const stop = () => Promise.all(writers.map((writer) => writer.stop()));
  const result = await task().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { result, written: await stop() };
}

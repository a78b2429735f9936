import { setTimeout as sleep } from "node:timers/promises";

const FIRST_POLL_MS = 50;
const SLOWEST_POLL_MS = 1000;

/** Polls until `probe` gives something; `undefined` when the time is over. */
export async function poll<T>(
  timeoutMs: number,
  signal: AbortSignal,
  probe: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 1.5, SLOWEST_POLL_MS)) {
    const result = await probe();
    if (result !== undefined || Date.now() > deadline) {
      return result;
    }
    await sleep(pause, undefined, { signal });
  }
}

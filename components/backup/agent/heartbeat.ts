import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../webhook";
import type { Context } from "./context";

const TIMEOUT_MS = 10_000;
/** Between attempts. */
const RETRY_MS = [2000, 10_000, 30_000];

/**
 * Tells whoever waits for it elsewhere that backups go on: after a backup that every place has and that was read back. Silence is
 * what that one calls people for, so that it notices the end of the whole stack, too.
 *
 * A heartbeat that nobody hears is told of, and does not make the backup a failed one.
 *
 * @param retryMs between attempts.
 */
export async function beatHeart(
  { settings: { heartbeat }, tell, signal }: Pick<Context, "settings" | "tell" | "signal">,
  retryMs: readonly number[] = RETRY_MS,
): Promise<void> {
  if (heartbeat === undefined) return;
  for (const wait of [...retryMs, undefined]) {
    try {
      const timeout = AbortSignal.timeout(TIMEOUT_MS);
      const answer = await fetch(new URL(heartbeat), { signal: timeout });
      await answer.arrayBuffer();
      if (answer.ok) return;
      throw new Error(`it was answered ${answer.status}`);
    } catch (error) {
      signal.throwIfAborted();
      if (wait === undefined) {
        return tell({ event: "note", text: `the heartbeat was not heard: ${reasonOf(error)}` });
      }
      await sleep(wait, undefined, { signal });
    }
  }
}

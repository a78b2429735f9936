import { setTimeout as delay } from "node:timers/promises";

/**
 * Waits for a condition, asked about twice a second. A question that fails (a node that is down) is asked again.
 *
 * @throws {Error} when it does not come true in time, with the last failure.
 */
export async function until(
  what: string,
  timeoutSeconds: number,
  condition: () => Promise<boolean>,
): Promise<void> {
  const end = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const failure = await condition().then(
      (holds) => (holds ? undefined : ""),
      (error: Error) => `: ${error.message}`,
    );
    if (failure === undefined) return;
    if (Date.now() > end) throw new Error(`no ${what} within ${timeoutSeconds} s${failure}`);
    await delay(500);
  }
}

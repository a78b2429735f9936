import { statusCodeOf } from "../docker/engine";
import type { Context } from "../protocol/resource";
import { messageOf, waitUntil, type Attempt } from "../wait";

/** Somebody else's change of the same object came first: look again and decide anew. */
export function isConflict(error: unknown): boolean {
  return statusCodeOf(error) === 409 || messageOf(error).includes("out of sequence");
}

export function isMissing(error: unknown): boolean {
  return statusCodeOf(error) === 404;
}

/**
 * Repeats what is asked of a manager until it is done: an election, a manager that dies and another's change all pass.
 *
 * @throws {WaitTimeout} after `timeoutSeconds`, with the last reason. What Docker refuses for good (4xx) is thrown at once.
 */
export function persist<T>(
  what: string,
  timeoutSeconds: number,
  context: Context,
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  return waitUntil({ what, timeoutSeconds, context }, async (): Promise<Attempt<T>> => {
    try {
      return await attempt();
    } catch (error) {
      context.signal.throwIfAborted();
      const status = statusCodeOf(error) ?? 0;
      if (status >= 400 && status < 500 && !isConflict(error)) throw error;
      if (error instanceof Refusal) throw error;
      return { pending: messageOf(error) };
    }
  });
}

/** A step that must not be taken, whatever is waited for. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

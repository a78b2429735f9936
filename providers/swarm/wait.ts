import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, Context } from "./protocol/resource";

/** A reason that stays the same is told again after this long: without a terminal each time is a line of the log. */
const REPEAT_SECONDS = 5;

/** Thrown when a bounded wait ends without its condition. */
export class WaitTimeout extends Error {
  override readonly name = "WaitTimeout";
}

export interface WaitOptions {
  /** What is waited for, to follow "waiting for": `SSH on web-1`. */
  readonly what: string;
  readonly timeoutSeconds: number;
  /** Between two attempts. @default 1 */
  readonly intervalSeconds?: number;
  readonly context: Pick<Context, "log" | "signal" | "clock">;
}

/** One attempt: the value once the condition holds, else why not yet. */
export type Attempt<T> = { readonly done: T } | { readonly pending: string };

/**
 * Repeats `attempt` until it is done, and tells the operator meanwhile what it waits for, how long already, and why.
 *
 * @throws {WaitTimeout} after `timeoutSeconds`, with the last reason.
 * @throws whatever `attempt` throws: only conditions that can still come true are `pending`.
 */
export async function waitUntil<T>(
  options: WaitOptions,
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  const { what, timeoutSeconds, intervalSeconds = 1, context } = options;
  const started = context.clock.now();
  let told = { reason: "", at: 0 };
  for (;;) {
    context.signal.throwIfAborted();
    const result = await attempt();
    if ("done" in result) return result.done;
    const waited = Math.round((context.clock.now() - started) / 1000);
    if (waited >= timeoutSeconds) {
      throw new WaitTimeout(
        `gave up waiting for ${what} after ${timeoutSeconds} s: ${result.pending}`,
      );
    }
    const now = context.clock.now();
    if (result.pending !== told.reason || now - told.at >= REPEAT_SECONDS * 1000) {
      told = { reason: result.pending, at: now };
      context.log.status(`waiting for ${what} (${waited} s): ${result.pending}`);
    }
    await pause(intervalSeconds, context);
  }
}

/** Waits a fixed time, unless the engine cancels. */
export function pause(seconds: number, context: Pick<Context, "signal" | "clock">): Promise<void> {
  return context.clock.sleep(seconds * 1000, context.signal);
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
      // Says why, where Node.js says only that.
      signal?.throwIfAborted();
      throw error;
    }),
};

/** `work`, unless it takes too long: it goes on then, unheeded. */
export async function withinSeconds<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The message of anything thrown; of what Docker refused, its own words without HTTP's and gRPC's. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { json } = error as { json?: { message?: unknown } };
  const message = typeof json?.message === "string" ? json.message : error.message;
  return message.replace(/^rpc error: code = \w+ desc = /, "").trim();
}

import { z } from "zod";
import type { Seen } from "./look";

/** A problem, from its beginning until everybody who was told of it has heard of its end. */
const incident = z.object({
  name: z.string(),
  says: z.string(),
  settleMinutes: z.number(),
  /** ISO 8601. */
  since: z.string(),
  /** ISO 8601; absent while it lasts. */
  endedAt: z.string().optional(),
  /** When it was last told, by channel. ISO 8601. */
  told: z.record(z.string(), z.string()),
});

export const incidents = z.array(incident);
export type Incident = z.infer<typeof incident>;

/** What one channel is to say now. */
export interface Message {
  readonly kind: "alarm" | "reminder" | "all-clear" | "test";
  /** That last. */
  readonly problems: readonly Incident[];
  /** That have ended. */
  readonly ended: readonly Incident[];
}

const REMINDER_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;

/** What is known after another look. */
export function advance(known: readonly Incident[], seen: Seen, now: Date): Incident[] {
  const at = now.toISOString();
  const hidden = ({ name }: Incident) =>
    seen.unreachable.some((place) => name.startsWith(`${place}.`));
  const lasting = seen.problems.map((problem): Incident => {
    const before = known.find(({ name }) => name === problem.name);
    const since = before?.endedAt === undefined ? (before?.since ?? at) : at;
    return { ...problem, since, told: before?.told ?? {} };
  });
  const gone = known
    .filter(({ name }) => !lasting.some((one) => one.name === name))
    .map((one) => (hidden(one) ? one : { endedAt: at, ...one }))
    // Who was never told need not hear of the end.
    .filter(({ endedAt, told }) => endedAt === undefined || Object.keys(told).length > 0);
  return [...lasting, ...gone];
}

/** @returns undefined while a channel has nothing to say. */
export function messageFor(
  channel: string,
  known: readonly Incident[],
  now: Date,
): Message | undefined {
  const lasts = known.filter(({ endedAt }) => endedAt === undefined);
  const problems = lasts.filter(
    ({ since, settleMinutes, told }) =>
      told[channel] !== undefined || now.getTime() - Date.parse(since) >= settleMinutes * MINUTE_MS,
  );
  const ended = known.filter(
    ({ endedAt, told }) => endedAt !== undefined && told[channel] !== undefined,
  );
  if (problems.some(({ told }) => told[channel] === undefined))
    return { kind: "alarm", problems, ended };
  if (ended.length > 0)
    return { kind: problems.length > 0 ? "reminder" : "all-clear", problems, ended };
  const isDue = problems.some(
    ({ told }) => now.getTime() - Date.parse(told[channel] ?? "") >= REMINDER_MS,
  );
  return isDue ? { kind: "reminder", problems, ended } : undefined;
}

/** What is known once a channel has said its message. */
export function afterTelling(
  channel: string,
  known: readonly Incident[],
  { problems, ended }: Message,
  now: Date,
): Incident[] {
  const isIn = (list: readonly Incident[], { name }: Incident) =>
    list.some((one) => one.name === name);
  return known
    .map((one) => {
      const { [channel]: _, ...others } = one.told;
      if (isIn(problems, one)) return { ...one, told: { ...others, [channel]: now.toISOString() } };
      return isIn(ended, one) ? { ...one, told: others } : one;
    })
    .filter(({ endedAt, told }) => endedAt === undefined || Object.keys(told).length > 0);
}

/** Whether a stack's backups are as young as they should be. */
import type { Target } from "../operator/target";
import { ageOf, listBackups, type StoredBackup } from "./list";

/** Of a stack that does not say: a day, and the time that a late run takes. */
const MAX_AGE_HOURS = 26;

export interface Freshness {
  /** Start of the newest backup in each place, ISO 8601; null where there is none. */
  readonly first: string | null;
  readonly second: string | null;
  readonly problems: readonly string[];
}

/** @returns undefined when the stack makes no backups. */
export async function backupFreshness(target: Target): Promise<Freshness | undefined> {
  if (target.outputs.backup === undefined) return undefined;
  try {
    const { backups, failures } = await listBackups(target);
    return freshnessOf(backups, failures, Date.now(), target.outputs.backup.maxAgeHours);
  } catch (error) {
    return { first: null, second: null, problems: [(error as Error).message] };
  }
}

export function freshnessOf(
  backups: readonly Pick<StoredBackup, "place" | "startedAt">[],
  failures: readonly string[],
  now: number,
  maxAgeHours = MAX_AGE_HOURS,
): Freshness {
  const newest = (wanted: StoredBackup["place"]) =>
    backups
      .filter(({ place }) => place === wanted)
      .map(({ startedAt }) => startedAt)
      .sort()
      .at(-1) ?? null;
  const found = { first: newest("first"), second: newest("second") };
  const stale = Object.entries(found).flatMap(([place, time]) => {
    if (time === null) return [`the ${place} place has no backup`];
    const hours = (now - Date.parse(time)) / 3_600_000;
    return hours > maxAgeHours ? [`the ${place} place's newest is ${ageOf(time, now)} old`] : [];
  });
  return { ...found, problems: [...failures, ...stale] };
}

/** One line for an operator. */
export function describeFreshness({ first, second, problems }: Freshness): string {
  if (problems.length > 0) return `Backups: ${problems.join("; ")}`;
  return `Last backup: ${ageOf(first ?? "")} ago in the first place, ${ageOf(second ?? "")} in the second`;
}

import type { Keep } from "../settings";

const DAY_MS = 86_400_000;

/** Before the newest backup: what was saved after data had been lost must not push out what was saved before. */
const RECENT_MS = 2 * DAY_MS;

/**
 * Which backups are kept: of each day, ISO week and month, in UTC, the newest one, as many of each as `keep` says, counted
 * from the newest backup back; and all of the last two days. Periods without a backup do not count, so that a long silence deletes
 * nothing, and the newest backup is always kept.
 */
export function keptBackups(times: readonly Date[], { days, weeks, months }: Keep): Set<Date> {
  const newestFirst = [...times].sort((a, b) => b.getTime() - a.getTime());
  const newest = newestFirst[0]?.getTime() ?? 0;
  const kept = new Set(newestFirst.filter((time) => newest - time.getTime() < RECENT_MS));
  const periods = [
    [days, dayOf],
    [weeks, weekOf],
    [months, monthOf],
  ] as const;
  for (const [count, periodOf] of periods) {
    const seen = new Set<string>();
    for (const time of newestFirst) {
      const period = periodOf(time);
      if (seen.has(period)) continue;
      if (seen.size >= count) break;
      seen.add(period);
      kept.add(time);
    }
  }
  return kept;
}

const dayOf = (time: Date) => time.toISOString().slice(0, 10);
const monthOf = (time: Date) => time.toISOString().slice(0, 7);

/** The Monday that the week began with. */
function weekOf(time: Date): string {
  const sinceMonday = (time.getUTCDay() + 6) % 7;
  return dayOf(new Date(time.getTime() - sinceMonday * DAY_MS));
}

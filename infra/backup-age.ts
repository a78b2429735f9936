import { Cron } from "croner";
import type { BackupConfig } from "./schema/backup";

/** More than any schedule that makes sense has in the time between its longest silences. */
const RUNS = 3000;
/** Any moment: the longest silence of a schedule is the same from wherever one counts. */
const START = new Date("2026-01-01T00:00:00Z");
const HOUR_MS = 3_600_000;

/** What a backup may take, and what was missed has to be made up for. */
const MARGIN_HOURS = 2;

/** The longest time between two runs, in hours, rounded up. 0 for times that never come. */
export function longestGapHours(schedule: string): number {
  const times = new Cron(schedule, { paused: true, timezone: "UTC" })
    .nextRuns(RUNS, START)
    .map((time) => time.getTime());
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  return Math.ceil(Math.max(0, ...gaps) / HOUR_MS);
}

/** Age from which a stack's newest backup is too old. */
export const maxAgeHours = ({ schedule, alarm }: BackupConfig): number =>
  alarm?.maxAgeHours ?? longestGapHours(schedule) + MARGIN_HOURS;

import { Cron } from "croner";
import type { ScheduledJob } from "../jobs";
import type { Swarm } from "./docker-api";

/** A run that was missed for want of a scheduler is made up for within this time. */
const MAKE_UP_MS = 60 * 60 * 1000;

export type Log = (event: string, details: Readonly<Record<string, unknown>>) => void;

/**
 * Starts each job when it is due, once, and never while a run of it goes on. A run's last lines are kept in the log when it
 * ends; then it goes, so that the secrets and configs it used can.
 */
export class Scheduler {
  /** Until when each job's times have been dealt with. */
  private readonly settled = new Map<string, Date>();

  constructor(
    private readonly jobs: readonly ScheduledJob[],
    private readonly swarm: Swarm,
    private readonly log: Log,
  ) {}

  /** To be called every few seconds. What fails is tried again the next time. */
  async look(now: Date): Promise<void> {
    const going = await this.clear();
    if (this.settled.size === 0) await this.remember(now);
    for (const job of this.jobs) {
      const due = dueTime(job, this.settled.get(job.name) ?? now, now);
      if (due === undefined) continue;
      if (going.has(job.name)) this.log("job.skipped", { job: job.name, due, why: "still runs" });
      else if (await this.swarm.start(job.name, due, job.task)) {
        this.log("job.started", { job: job.name, due });
      }
      await this.swarm.remember(job.name, due);
      this.settled.set(job.name, due);
    }
  }

  /** Where an earlier scheduler ended: a new job waits for its next time. */
  private async remember(now: Date): Promise<void> {
    const started = await this.swarm.started();
    const earliest = new Date(now.getTime() - MAKE_UP_MS);
    for (const { name } of this.jobs) {
      const last = started.get(name) ?? now;
      this.settled.set(name, last > earliest ? last : earliest);
    }
  }

  /** Removes runs that have ended. @returns the jobs of the others. */
  private async clear(): Promise<Set<string>> {
    const going = new Set<string>();
    for (const run of await this.swarm.runs()) {
      if (run.state === "running") {
        going.add(run.job);
        continue;
      }
      const { job, due, state, error } = run;
      const output = await this.swarm.lastLines(run);
      this.log(`job.${state}`, { job, due, ...(error && { error }), output });
      await this.swarm.remember(job, due);
      await this.swarm.remove(run);
    }
    return going;
  }
}

/** @returns the latest time after `from` and not after `now`: of several that were missed one is made up for. */
function dueTime({ schedule }: ScheduledJob, from: Date, now: Date): Date | undefined {
  const cron = new Cron(schedule, { paused: true, timezone: "UTC" });
  let due: Date | undefined;
  for (let next = cron.nextRun(from); next !== null && next <= now; next = cron.nextRun(next)) {
    due = next;
  }
  return due;
}

/** What the scheduler is told: plain data without secrets, which travels as a Docker swarm config. */

/** One scheduled job. */
export interface ScheduledJob {
  /** Service name, which its runs are named for. */
  readonly name: string;
  /** Five fields of cron, in UTC. */
  readonly schedule: string;
  /** `TaskTemplate` of Docker's API (ServiceSpec). https://docs.docker.com/reference/api/engine/ */
  readonly task: object;
}

export const JOBS_FILE = "/archipelago/jobs.json";
export const CODE_FILE = "/archipelago/scheduler.js.gz";
/** Registry login as Docker's API takes it: base64 of JSON. */
export const LOGIN_FILE = "/run/secrets/scheduler-registry";
/** Touched at every look at the clock. */
export const ALIVE_FILE = "/tmp/alive";

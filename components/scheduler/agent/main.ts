import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ALIVE_FILE, JOBS_FILE, LOGIN_FILE, type ScheduledJob } from "../jobs";
import { DockerSwarm } from "./docker-api";
import { type Log, Scheduler } from "./scheduler";

const PERIOD_MS = 5000;

/** JSON lines on standard output, as Docker's log drivers keep them. */
const log: Log = (event, details) => {
  const line = { time: new Date().toISOString(), type: "scheduler", event, ...details };
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const jobs = JSON.parse(readFileSync(JOBS_FILE, "utf8")) as ScheduledJob[];
  const login = existsSync(LOGIN_FILE) ? readFileSync(LOGIN_FILE, "utf8").trim() : undefined;
  const scheduler = new Scheduler(jobs, new DockerSwarm("/var/run/docker.sock", login), log);
  while (!stop.signal.aborted) {
    try {
      await scheduler.look(new Date());
      writeFileSync(ALIVE_FILE, "");
    } catch (error) {
      log("scheduler.failed", { error: error instanceof Error ? error.message : String(error) });
    }
    await sleep(PERIOD_MS, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

void main();

import type { Run, Swarm } from "../../../components/scheduler/agent/docker-api";
import { Scheduler } from "../../../components/scheduler/agent/scheduler";

const at = (time: string) => new Date(`2026-11-21T${time}Z`);

/** A swarm whose runs end when a test says so. */
class FakeSwarm implements Swarm {
  readonly going: Run[] = [];
  readonly history: string[] = [];
  readonly records = new Map<string, Date>();
  broken = false;

  runs = () => Promise.resolve([...this.going]);
  start(job: string, due: Date) {
    if (this.broken) return Promise.reject(new Error("no manager"));
    const id = `${job} ${due.toISOString().slice(11, 16)}`;
    if (this.history.includes(id)) return Promise.resolve(false);
    this.history.push(id);
    this.going.push({ id, job, due, state: "running" });
    return Promise.resolve(true);
  }
  end(state: "complete" | "failed") {
    this.going.forEach((run, index) => (this.going[index] = { ...run, state }));
  }
  lastLines = () => Promise.resolve(["its last words"]);
  remove({ id }: Run) {
    this.going.splice(
      this.going.findIndex((run) => run.id === id),
      1,
    );
    return Promise.resolve();
  }
  started = () => Promise.resolve(this.records);
  remember(job: string, due: Date) {
    this.records.set(job, due);
    return Promise.resolve();
  }
}

describe("scheduled jobs", () => {
  let swarm: FakeSwarm;
  let log: [string, object][];
  const scheduler = (schedule = "*/10 * * * *") =>
    new Scheduler([{ name: "report", schedule, task: {} }], swarm, (...line) => log.push(line));

  beforeEach(() => {
    swarm = new FakeSwarm();
    log = [];
  });

  test("run at their times and not before", async () => {
    const one = scheduler();
    for (const time of ["02:55:00", "02:59:59", "03:00:01", "03:00:06"]) await one.look(at(time));
    expect(swarm.history).toEqual(["report 03:00"]);
  });

  test("are not started again while they run", async () => {
    const one = scheduler();
    for (const time of ["02:59:00", "03:00:01", "03:10:01"]) await one.look(at(time));
    swarm.end("complete");
    await one.look(at("03:20:01"));
    expect(swarm.history).toEqual(["report 03:00", "report 03:20"]);
    expect(log.map(([event]) => event)).toContain("job.skipped");
  });

  test("leave their last lines in the log, and nothing in the swarm", async () => {
    const one = scheduler();
    for (const time of ["02:59:00", "03:00:01"]) await one.look(at(time));
    swarm.end("failed");
    await one.look(at("03:01:00"));
    expect(swarm.going).toEqual([]);
    expect(log.at(-1)).toMatchObject(["job.failed", { output: ["its last words"] }]);
  });

  test("that were missed while no scheduler ran are made up for once, by the next scheduler", async () => {
    swarm.records.set("report", at("02:30:00"));
    await scheduler().look(at("03:05:00"));
    expect(swarm.history).toEqual(["report 03:00"]);
  });

  test("that were missed for more than an hour wait for their next time, and so does a new job", async () => {
    swarm.records.set("report", at("00:00:00"));
    await scheduler("30 1 * * *").look(at("03:05:00"));
    swarm.records.clear();
    await scheduler().look(at("03:05:00"));
    expect(swarm.history).toEqual([]);
  });

  test("are started by the next look when the swarm does not answer", async () => {
    const one = scheduler();
    await one.look(at("02:59:00"));
    swarm.broken = true;
    await expect(one.look(at("03:00:01"))).rejects.toThrow("no manager");
    swarm.broken = false;
    await one.look(at("03:00:06"));
    expect(swarm.history).toEqual(["report 03:00"]);
  });
});

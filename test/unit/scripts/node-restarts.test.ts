import { endedByRestart, type Task } from "../../../scripts/operator/node-restarts";

/** @param created, @param ended seconds on 2026-11-21 after 08:16:00 */
const task = (service: string, created: number, State: string, ended: number): Task => ({
  ServiceID: service,
  NodeID: "node-1",
  CreatedAt: at(created),
  Status: { State, Timestamp: at(ended) },
});
const at = (seconds: number) => new Date(Date.UTC(2026, 10, 21, 8, 16, seconds)).toISOString();

// What swarm remembered of a Droplet that was power-cycled at 08:16:50 and rebooted at 08:20:10.
const release = task("release", 36, "complete", 37);
const tasks = ["postgres", "edge", "web"].flatMap((service) => [
  // Of one, the second restart wrote down the end once more.
  task(service, 29, "failed", service === "web" ? 254 : 54),
  task(service, 54, service === "edge" ? "failed" : "complete", 254),
  task(service, 254, "rejected", 254),
  task(service, 256, "running", 270),
]);
const history = [release, ...tasks];
const failures = tasks.filter(({ Status }) => ["failed", "rejected"].includes(Status.State));

describe("a status after a restart of the node", () => {
  test("does not call its tasks failed", () => {
    expect(failures).toHaveLength(7);
    expect(failures.filter((one) => !endedByRestart(one, history))).toEqual([]);
  });

  test("still shows a task that fails while its neighbours run", () => {
    const crash = task("web", 256, "failed", 300);
    const now = [...history.filter((one) => one !== tasks.at(-1)), crash];
    expect(endedByRestart(crash, now)).toBe(false);
  });

  test("still shows a task that failed alone before the restart", () => {
    const crash = task("web", 54, "failed", 120);
    expect(endedByRestart(crash, [...history, crash])).toBe(false);
  });

  test("still shows a service that fails on a node of its own", () => {
    const crash = task("web", 30, "failed", 40);
    expect(endedByRestart(crash, [crash, task("web", 42, "running", 43)])).toBe(false);
  });
});

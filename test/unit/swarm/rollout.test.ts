import type Docker from "dockerode";
import { judge, lookAt, type Service } from "../../../providers/swarm/docker/rollout";
import { describeState, describeTask, type Task } from "../../../providers/swarm/docker/tasks";

const now = Date.parse("2026-11-21T05:00:00Z");
const longAgo = "2026-11-21T04:00:00.123456789Z";

function service(overrides: Partial<Service> = {}, healthcheck = true): Service {
  return {
    ID: "svc",
    Spec: {
      TaskTemplate: {
        ContainerSpec: {
          Image: "web:2",
          ...(healthcheck && { Healthcheck: { Test: ["CMD", "check"] } }),
        },
        Runtime: "container",
      },
      Mode: { Replicated: { Replicas: 2 } },
    },
    ServiceStatus: { DesiredTasks: 2 },
    ...overrides,
  };
}

let count = 0;
function task(
  of: Service,
  state: string,
  overrides: Partial<Task> & { image?: string } = {},
): Task {
  const { Runtime: _runtime, ...spec } = of.Spec.TaskTemplate;
  const { image, ...rest } = overrides;
  return {
    ID: `task-${(count += 1)}`,
    Version: { Index: 1 },
    ServiceID: "svc",
    NodeID: "n1",
    Slot: 1,
    Spec: image ? { ...spec, ContainerSpec: { ...spec.ContainerSpec, Image: image } } : spec,
    DesiredState: state === "failed" || state === "rejected" ? "shutdown" : "running",
    Status: { Timestamp: longAgo, State: state, Message: "", Err: "" },
    ...rest,
  };
}

const none = new Set<string>();

describe("a rollout", () => {
  const web = service();

  test("understands a worker, whose health check Docker shows as an empty object", async () => {
    const ContainerSpec = { Image: "web:2", Healthcheck: {} };
    const Spec = {
      Name: "worker",
      Mode: { Replicated: { Replicas: 1 } },
      TaskTemplate: { ContainerSpec },
    };
    const docker = {
      listServices: () => Promise.resolve([{ ID: "svc", Spec }]),
      listTasks: () => Promise.resolve([]),
    } as unknown as Docker;
    const looked = await lookAt(docker, "worker");
    expect(looked && judge(looked, new Set(), now)).toMatchObject({ kind: "waiting" });
  });

  test("is over when every task of the new version runs", () => {
    const tasks = [task(web, "running"), task(web, "running")];
    expect(judge({ service: web, tasks }, none, now)).toEqual({ kind: "healthy", tasks: 2 });
  });

  test("goes on while a task of the old version still runs, or users would see both unannounced", () => {
    const tasks = [task(web, "running"), task(web, "running", { image: "web:1" })];
    expect(judge({ service: web, tasks }, none, now)).toMatchObject({
      kind: "waiting",
      reason: "1 of 2 tasks run the new version",
    });
  });

  test("goes on while swarm watches the new tasks", () => {
    const updating = service({ UpdateStatus: { State: "updating", Message: "" } });
    const tasks = [task(updating, "running"), task(updating, "running")];
    expect(judge({ service: updating, tasks }, none, now)).toMatchObject({
      kind: "waiting",
      reason: "2 of 2 tasks run the new version, swarm watches them still",
    });
  });

  test.each([
    ["paused", "its update was paused: task 7 failed"],
    ["rollback_completed", "its update was rolled back: task 7 failed"],
  ])("that swarm has given up (%s) fails at once with the newest failed task", (State, reason) => {
    const stopped = service({ UpdateStatus: { State, Message: "task 7 failed" } });
    const failed = task(stopped, "rejected", { image: "web:3" });
    const tasks = [task(stopped, "running"), task(stopped, "running"), failed];
    expect(judge({ service: stopped, tasks }, none, now)).toEqual({
      kind: "hopeless",
      reason,
      task: failed,
    });
  });

  test("fails at the third failure of the new version, not only when time is up", () => {
    const failures = [task(web, "failed"), task(web, "failed"), task(web, "rejected")];
    const tasks = [task(web, "starting"), ...failures];
    expect(judge({ service: web, tasks }, none, now)).toMatchObject({
      kind: "hopeless",
      task: failures[0],
    });
    expect(judge({ service: web, tasks: tasks.slice(0, 3) }, none, now).kind).toBe("waiting");
  });

  test("is not failed by what went wrong before it began: the cause may be mended", () => {
    const failures = [task(web, "failed"), task(web, "failed"), task(web, "failed")];
    const before = new Set(failures.map(({ ID }) => ID));
    expect(judge({ service: web, tasks: failures }, before, now).kind).toBe("waiting");
  });

  test("says why a task cannot be placed", () => {
    const stuck = task(web, "pending", { NodeID: "" });
    stuck.Status.Err = "no suitable node (insufficient resources on 1 node)";
    expect(judge({ service: web, tasks: [stuck] }, none, now)).toEqual({
      kind: "waiting",
      reason:
        "0 of 2 tasks run the new version, no suitable node (insufficient resources on 1 node)",
      task: stuck,
    });
  });

  test("of a service without a health check waits 3 s, or one that dies at its start would pass", () => {
    const bare = service({ ServiceStatus: { DesiredTasks: 1 } }, false);
    const fresh = task(bare, "running");
    fresh.Status.Timestamp = "2026-11-21T04:59:58Z";
    expect(judge({ service: bare, tasks: [fresh] }, none, now).kind).toBe("waiting");
    expect(judge({ service: bare, tasks: [fresh] }, none, now + 1000).kind).toBe("healthy");
  });

  test("of a service scaled to zero is over at once", () => {
    const idle = service({ ServiceStatus: { DesiredTasks: 0 } });
    expect(judge({ service: idle, tasks: [] }, none, now)).toEqual({ kind: "healthy", tasks: 0 });
  });
});

test("a failed task is told with its service, slot, node and reason", () => {
  const web = service();
  const rejected = task(web, "rejected");
  rejected.Status.Err = "No such image: web:2";
  expect(`${describeTask(rejected, "web", "web-1")} ${describeState(rejected)}`).toBe(
    'task web.1 on web-1 is rejected: "No such image: web:2"',
  );
  const crashed = task(web, "failed", { Slot: 0 });
  crashed.Status.ContainerStatus = { ExitCode: 7 };
  expect(`${describeTask(crashed, "edge", undefined)} ${describeState(crashed)}`).toBe(
    'task edge has failed: "exit code 7"',
  );
});

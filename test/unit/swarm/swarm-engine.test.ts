/** What Docker's Engine API answers (v1.41, as a real one did) must be understood, or no node could ever leave. */
import type Docker from "dockerode";
import { swarmEngine } from "../../../providers/swarm/docker/swarm-engine";

const Version = { Index: 7 };

test("services of every mode are told apart", async () => {
  const service = (Name: string, Mode: unknown, TaskTemplate: unknown = {}) => ({
    ID: `${Name}-id`,
    Version,
    Spec: { Name, Labels: {}, Mode, TaskTemplate },
  });
  const docker = {
    listServices: () =>
      Promise.resolve([
        service(
          "web",
          { Replicated: { Replicas: 4 } },
          { ContainerSpec: { Healthcheck: { Test: ["CMD", "true"] } } },
        ),
        service("edge", { Global: {} }, { ContainerSpec: { Healthcheck: { Test: ["NONE"] } } }),
        service("release", { ReplicatedJob: { MaxConcurrent: 1 } }),
        service(
          "postgres",
          { Replicated: { Replicas: 1 } },
          { Placement: { Constraints: ["node.id==abc"] } },
        ),
      ]),
  } as unknown as Docker;
  const services = await swarmEngine(docker).services();
  expect(
    services.map(({ name, mode, replicas, hasHealthCheck, isBound }) =>
      [name, mode, replicas, hasHealthCheck, isBound].join(" "),
    ),
  ).toEqual([
    "web replicated 4 true false",
    "edge global 0 false false",
    "release job 0 false false",
    "postgres replicated 1 false true",
  ]);
});

test("tasks without a place, a container or an error are tasks as well", async () => {
  const docker = {
    info: () => Promise.resolve({ SystemTime: "2026-11-21T11:00:05Z" }),
    listTasks: () =>
      Promise.resolve([
        {
          ID: "task",
          ServiceID: "web",
          DesiredState: "running",
          Status: { Timestamp: "2026-11-21T11:00:00Z", State: "pending", Err: "no suitable node" },
        },
      ]),
  } as unknown as Docker;
  expect(await swarmEngine(docker).tasks()).toEqual([
    {
      id: "task",
      serviceId: "web",
      nodeId: "",
      isWanted: true,
      state: "pending",
      error: "no suitable node",
      forMs: 5000,
      containerId: "",
    },
  ]);
});

test("a manager that has just started is known by the address that it listens on", async () => {
  const docker = {
    listNodes: () =>
      Promise.resolve([
        {
          ID: "abc",
          Version,
          Spec: { Role: "manager", Availability: "active", Labels: null },
          Description: { Hostname: "manager-1" },
          Status: { State: "ready", Addr: "0.0.0.0" },
          ManagerStatus: { Leader: true, Reachability: "reachable", Addr: "10.20.0.2:2377" },
        },
      ]),
  } as unknown as Docker;
  expect(await swarmEngine(docker).members()).toEqual([
    {
      id: "abc",
      version: 7,
      role: "manager",
      availability: "active",
      labels: {},
      hostname: "manager-1",
      isReady: true,
      state: "ready",
      address: "10.20.0.2",
      manager: { isReachable: true, isLeader: true },
    },
  ]);
});

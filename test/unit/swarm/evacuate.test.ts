/** A node that leaves must take no task of a service with it. */
import type Docker from "dockerode";
import { evacuate } from "../../../providers/swarm/node/evacuate";
import { recordingContext } from "./support/context";

interface Task {
  readonly ServiceID: string;
  readonly NodeID: string;
}
interface NodeSpec {
  readonly Availability: string;
  readonly Labels: Record<string, string>;
}

/** Two nodes and a scheduler that obeys at once; it remembers the fewest tasks that each service ever had. */
class FakeSwarm {
  readonly replicas: Record<string, number> = { web: 2, worker: 1, pinned: 1 };
  readonly fewest: Record<string, number> = {};
  readonly nodes: Record<string, NodeSpec> = {
    leaving: { Availability: "active", Labels: { zone: "a" } },
    other: { Availability: "active", Labels: {} },
  };
  /** Name of the call that the process dies at, once. */
  diesAt: string | undefined;
  private tasks: Task[] = [
    { ServiceID: "web", NodeID: "leaving" },
    { ServiceID: "web", NodeID: "other" },
    { ServiceID: "worker", NodeID: "leaving" },
    { ServiceID: "pinned", NodeID: "leaving" },
    { ServiceID: "edge", NodeID: "leaving" },
    { ServiceID: "edge", NodeID: "other" },
  ];

  readonly docker = {
    listServices: () => Promise.resolve(this.services()),
    listTasks: ({ filters }: { filters: { service?: string[]; node?: string[] } }) =>
      Promise.resolve(
        this.tasks
          .filter(({ ServiceID }) => filters.service?.includes(ServiceID) ?? true)
          .filter(({ NodeID }) => filters.node?.includes(NodeID) ?? true)
          .map((task) => ({ ...task, DesiredState: "running", Status: { State: "running" } })),
      ),
    getService: (id: string) => ({
      update: ({ Mode }: { Mode: { Replicated: { Replicas: number } } }) => {
        this.die(`replicas of ${id}`);
        this.replicas[id] = Mode.Replicated.Replicas;
        this.schedule();
        return Promise.resolve();
      },
    }),
    getNode: (id: string) => ({
      inspect: () =>
        Promise.resolve({
          ID: id,
          Version: { Index: 1 },
          Spec: { Role: "worker", ...this.nodes[id] },
          Status: { State: "ready" },
        }),
      update: ({ Availability, Labels }: NodeSpec) => {
        this.die(Availability);
        this.nodes[id] = { Availability, Labels };
        this.schedule();
        return Promise.resolve();
      },
    }),
  } as unknown as Docker;

  private die(at: string): void {
    if (this.diesAt !== at) return;
    this.diesAt = undefined;
    throw new Error("killed");
  }

  private services() {
    const replicated = Object.entries(this.replicas).map(([name, Replicas]) => ({
      ID: name,
      Version: { Index: 1 },
      Spec: {
        Name: name,
        Mode: { Replicated: { Replicas } },
        TaskTemplate: {
          Placement: { Constraints: name === "pinned" ? ["node.id == leaving"] : [] },
        },
      },
    }));
    const edge = { Name: "edge", Mode: { Global: {} }, TaskTemplate: {} };
    return [...replicated, { ID: "edge", Version: { Index: 1 }, Spec: edge }];
  }

  /** Drained nodes lose their tasks; what is missing starts on a node that takes tasks, what is too much stops. */
  private schedule(): void {
    this.tasks = this.tasks.filter(({ NodeID }) => this.nodes[NodeID]?.Availability !== "drain");
    for (const name of ["web", "worker"]) {
      const mine = this.tasks.filter(({ ServiceID }) => ServiceID === name);
      this.fewest[name] = Math.min(this.fewest[name] ?? Infinity, mine.length);
      const wanted = this.replicas[name] ?? 0;
      for (let count = mine.length; count < wanted; count++) {
        this.tasks.push({ ServiceID: name, NodeID: "other" });
      }
      for (const task of mine.slice(wanted)) this.tasks.splice(this.tasks.indexOf(task), 1);
    }
  }
}

const context = recordingContext("leaving");
const emptied = (swarm: FakeSwarm) => {
  expect(swarm.nodes.leaving).toMatchObject({ Availability: "drain", Labels: { zone: "a" } });
  expect(swarm.replicas).toEqual({ web: 2, worker: 1, pinned: 1 });
  // Never fewer than the service asks for, not even for a moment.
  expect(swarm.fewest).toEqual({ web: 2, worker: 1 });
};

test("a node is emptied with every service whole all the time, and its replicas as before", async () => {
  const swarm = new FakeSwarm();
  await evacuate(swarm.docker, "leaving", context);
  emptied(swarm);
});

test.each(["pause", "replicas of web", "replicas of worker", "drain"])(
  "a run that dies at %s is finished by the next one",
  async (step) => {
    const swarm = new FakeSwarm();
    swarm.diesAt = step;
    await expect(evacuate(swarm.docker, "leaving", context)).rejects.toThrow("killed");
    await evacuate(swarm.docker, "leaving", context);
    emptied(swarm);
  },
);

/** What breaks by itself: failures end once the balancer, or the edge, has noticed. */
import type Docker from "dockerode";
import { execIn } from "../../../local/machines/docker/engine";
import { leaderOf } from "../../operator/target";
import type { Scenario } from "../drill";
import { WEB, type Ground } from "../ground";
import { until } from "../until";

/** Two checks, each begun 3 s after the one before has ended, and given up after 3 s. */
const BALANCER_NOTICES_SECONDS = 2 * (3 + 3);
/** The edge checks the app's tasks as the stack file says. */
const EDGE_NOTICES_SECONDS =
  (WEB.health.retries + 1) * WEB.health.intervalSeconds + WEB.health.timeoutSeconds;

/** A node loses its power, and gets it back after the drill. */
function powerCut(
  name: string,
  action: string,
  pick: (ground: Ground) => Promise<string>,
): Scenario {
  let node = "";
  return {
    name,
    action,
    crash: { share: 1 / 5, detectionSeconds: BALANCER_NOTICES_SECONDS },
    prepare: async (ground) => {
      node = await pick(ground);
      const { nodes } = await ground.outputs();
      const witness = nodes.find((each) => each.role === "manager" && each.name !== node);
      const manager = await ground.docker(witness?.name ?? "");
      return async () => {
        await ground.power(node, "power_off");
        await until(`notice that ${node} is down`, 60, () => isDown(manager, node));
        await until("return of every task", 180, () => isWhole(manager));
        return [`${node} was cut off`];
      };
    },
    after: async (ground) => {
      await ground.power(node, "power_on");
      const manager = await ground.manager();
      await until(`return of ${node}`, 180, async () => {
        const nodes = await nodesOf(manager);
        return nodes.every(({ Status }) => Status.State === "ready") && isWhole(manager);
      });
    },
  };
}

/** The parts of a task that a drill reads. https://docs.docker.com/reference/api/engine/ */
interface SwarmTask {
  readonly ServiceID: string;
  readonly NodeID?: string;
  readonly Status: { readonly State: string; readonly ContainerStatus?: { ContainerID?: string } };
}

interface SwarmNode {
  readonly ID: string;
  readonly Spec: { readonly Labels?: Readonly<Record<string, string>> };
  readonly Description: { readonly Hostname: string };
  readonly Status: { readonly State: string };
}

const nodesOf = async (manager: Docker) => (await manager.listNodes()) as SwarmNode[];

const tasksOf = async (manager: Docker) =>
  (await manager.listTasks({ filters: { "desired-state": ["running"] } })) as SwarmTask[];

/**
 * Whether every service has the tasks that it should have, on nodes that are there: swarm counts those of a lost node
 * as running for a day. A job has none when it is done.
 */
async function isWhole(manager: Docker): Promise<boolean> {
  const [services, nodes, tasks] = await Promise.all([
    manager.listServices(),
    nodesOf(manager),
    tasksOf(manager),
  ]);
  const ready = nodes.filter(({ Status }) => Status.State === "ready");
  return services.every(({ ID, Spec }) => {
    const { Mode = {}, TaskTemplate = {} } = (Spec ?? {}) as ServiceSpec;
    const own = tasks.filter(
      ({ ServiceID, NodeID, Status }) =>
        ServiceID === ID && Status.State === "running" && ready.some((node) => node.ID === NodeID),
    );
    const wanted = Mode.Global
      ? ready.filter((node) => fits(node, TaskTemplate.Placement?.Constraints ?? [])).length
      : (Mode.Replicated?.Replicas ?? 0);
    return own.length >= wanted;
  });
}

interface ServiceSpec {
  readonly Mode?: {
    readonly Replicated?: { readonly Replicas?: number };
    readonly Global?: object;
  };
  readonly TaskTemplate?: { readonly Placement?: { readonly Constraints?: readonly string[] } };
}

/** Of all constraints, those by a node's label decide where global services of ours run. */
function fits({ Spec }: SwarmNode, constraints: readonly string[]): boolean {
  return constraints.every((constraint) => {
    const [, label = "", value] = /^node\.labels\.(\S+) *== *(\S+)$/.exec(constraint) ?? [];
    return value === undefined || Spec.Labels?.[label] === value;
  });
}

const isDown = async (manager: Docker, node: string) =>
  (await nodesOf(manager)).some(
    ({ Description, Status }) => Description.Hostname.endsWith(node) && Status.State === "down",
  );

const isGivenUp = async (manager: Docker, container: Docker.Container) =>
  !(await tasksOf(manager)).some(
    ({ Status }) => Status.ContainerStatus?.ContainerID === container.id,
  );

function killed(
  name: string,
  action: string,
  service: string,
  crash: NonNullable<Scenario["crash"]>,
  hurt: (container: Docker.Container) => Promise<unknown>,
): Scenario {
  return {
    name,
    action,
    crash,
    prepare: async (ground) => {
      const container = await ground.taskOf(service);
      const manager = await ground.manager();
      return async () => {
        await hurt(container);
        await until(
          `replacement of the task of ${service}`,
          180,
          async () => (await isGivenUp(manager, container)) && isWhole(manager),
        );
        return [];
      };
    },
  };
}

export const crashes: readonly Scenario[] = [
  powerCut("kill-worker", "power of worker-1 cut", () => Promise.resolve("worker-1")),
  powerCut("kill-manager", "power of manager-3 cut", () => Promise.resolve("manager-3")),
  powerCut("kill-leader", "power of the swarm's leader cut", async (ground) => {
    const { nodes } = await ground.outputs();
    const found = await leaderOf(await ground.manager(), nodes);
    if (!found) throw new Error("the swarm has no leader among the stack's nodes");
    return found.name;
  }),
  killed(
    "kill-edge",
    "an edge killed (SIGKILL)",
    "edge",
    { share: 1 / 5, detectionSeconds: BALANCER_NOTICES_SECONDS },
    (container) => container.kill({ signal: "SIGKILL" }),
  ),
  killed(
    "freeze-task",
    "a task of the app frozen (SIGSTOP)",
    "web",
    { share: 1 / WEB.replicas, detectionSeconds: EDGE_NOTICES_SECONDS },
    // To the process itself: the container's first one is an init, which hands no SIGSTOP on.
    (container) => execIn(container, ["sh", "-c", "kill -STOP -1"]),
  ),
  {
    name: "kill-daemon",
    action: "local DigitalOcean's daemon killed (SIGKILL): machines go on",
    prepare: (ground) =>
      Promise.resolve(async () => {
        await ground.killDaemon();
        // The other one finds everything as it was.
        const preview = await ground.pulumi("preview", "--expect-no-changes");
        if (preview.code !== 0) throw new Error(`preview failed:\n${preview.stdout}`);
        return [];
      }),
  },
];

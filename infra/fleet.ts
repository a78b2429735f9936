import type { Config, FleetNode, StackFile } from "./config";
import { BASTION } from "./names";
import { DEFAULT_SIZE } from "./schema/nodes";

/** The first manager: the same node in every topology, unless it is retired. */
const FIRST_NODE = "manager-1";

type Pool = NonNullable<StackFile["workers"]>;
type FleetFile = Pick<StackFile, "topology" | "nodes" | "managers" | "workers">;

/** Pools of `swarm` and `ha` in the order of their nodes, and what they are when a stack file does not say. */
export function poolsOf({ managers, workers }: FleetFile): Record<FleetNode["role"], Pool> {
  return {
    manager: managers ?? { count: 3, size: DEFAULT_SIZE },
    worker: workers ?? { count: 2, size: DEFAULT_SIZE },
  };
}

/**
 * Every node that a stack file asks for. Nodes are known by name, never by position: others stay when one goes, and a
 * pool is filled up with the next number when one of its nodes is retired.
 */
export function fleetOf(file: FleetFile): Record<string, FleetNode> {
  if (file.topology === "single-node") {
    const [[name, { size = DEFAULT_SIZE }] = [FIRST_NODE, {}]] = Object.entries(file.nodes);
    return { [name]: { size, role: "manager" } };
  }
  const { manager, worker } = poolsOf(file);
  return {
    ...fill("manager", manager, file.nodes),
    ...fill("worker", worker, file.nodes),
  };
}

function fill(
  role: FleetNode["role"],
  { count, size }: Pool,
  nodes: StackFile["nodes"],
): Record<string, FleetNode> {
  const pool: Record<string, FleetNode> = {};
  for (let number = 1, filled = 0; filled < count; number++) {
    const name = `${role}-${number}`;
    if (nodes[name]?.retired) continue;
    pool[name] = { size: nodes[name]?.size ?? size, role };
    filled++;
  }
  return pool;
}

/** Every Droplet of a stack by what it is called: its nodes, and the bastion before private ones. */
export function machinesOf({
  nodes,
  privateNodes,
}: Pick<Config, "nodes" | "privateNodes">): Record<string, Pick<FleetNode, "size">> {
  return {
    ...nodes,
    ...(privateNodes.enabled && { [BASTION]: { size: privateNodes.bastionSize } }),
  };
}

/** The manager that comes first: where the floating IP leads and the Volume is attached. */
export function firstNode({ nodes }: Pick<Config, "nodes">): string {
  return Object.keys(nodes)[0] ?? FIRST_NODE;
}

/** Services that keep files of their own on the Volume. */
export function servicesWithVolume({ services }: Pick<Config, "services">): string[] {
  return Object.entries(services).flatMap(([name, { volume }]) => (volume ? [name] : []));
}

/** Whether something runs on the Volume, so that its node cannot be replaced by another one. */
export function usesVolume({
  topology,
  database,
  services,
}: Pick<Config, "topology" | "database" | "services">): boolean {
  return (
    // The edge keeps its certificates there.
    topology === "single-node" ||
    database.engine === "container" ||
    servicesWithVolume({ services }).length > 0
  );
}

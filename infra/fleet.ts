import type { Config, FleetNode, StackFile } from "./config";

const DEFAULT_SIZE = "s-2vcpu-4gb";

/** The first manager: the same node in every topology. It starts the swarm, and holds the Volume. */
export const FIRST_NODE = "manager-1";

/** The node that the Volume is attached to. */
export function nodeWithVolume({ nodes }: Pick<Config, "nodes">): string {
  return Object.keys(nodes)[0] ?? FIRST_NODE;
}

/** Every node that a stack file asks for. Nodes are known by name, never by position: others stay when one goes. */
export function fleetOf(file: StackFile): Record<string, FleetNode> {
  if (file.topology === "single-node") {
    const nodes = file.nodes ?? { [FIRST_NODE]: { size: DEFAULT_SIZE } };
    return Object.fromEntries(
      Object.entries(nodes).map(([name, { size }]) => [name, { size, role: "manager" }]),
    );
  }
  return {
    ...pool("manager", file.managers ?? { count: 3, size: DEFAULT_SIZE }),
    ...pool("worker", file.workers ?? { count: 2, size: DEFAULT_SIZE }),
  };
}

function pool(
  role: FleetNode["role"],
  { count, size }: { readonly count: number; readonly size: string },
): Record<string, FleetNode> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return Object.fromEntries(numbers.map((number) => [`${role}-${number}`, { size, role }]));
}

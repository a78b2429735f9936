import type { Config, StackFile } from "./config";
import { fleetOf } from "./fleet";

/** What a topology means where the stack file says nothing. */
const DEFAULTS = {
  "single-node": {
    ingress: "floating-ip",
    balancerNodes: 1,
    database: { engine: "container", size: "db-s-1vcpu-1gb", nodes: 1, replicas: 0 },
  },
  swarm: {
    ingress: "load-balancer",
    balancerNodes: 1,
    database: { engine: "managed", size: "db-s-1vcpu-1gb", nodes: 1, replicas: 0 },
  },
  ha: {
    ingress: "load-balancer",
    balancerNodes: 2,
    database: { engine: "managed", size: "db-s-1vcpu-2gb", nodes: 2, replicas: 1 },
  },
} as const;

type Defaulted = Pick<Config, "nodes" | "ingress" | "loadBalancer" | "database" | "registry">;

/** Applies the defaults that hang on the topology. */
export function topologyDefaults(file: StackFile): Defaulted {
  const { ingress, balancerNodes, database } = DEFAULTS[file.topology];
  return {
    nodes: fleetOf(file),
    ingress: file.ingress ?? ingress,
    loadBalancer: { ...file.loadBalancer, nodes: file.loadBalancer.nodes ?? balancerNodes },
    database: {
      ...file.database,
      engine: file.database.engine ?? database.engine,
      size: file.database.size ?? database.size,
      nodes: file.database.nodes ?? database.nodes,
      replicas: file.database.replicas ?? database.replicas,
    },
    registry: {
      ...file.registry,
      kind: file.registry.kind ?? "none",
    },
  };
}

import { Node } from "../../components/node";
import * as swarm from "../../providers/swarm/sdk";
import type { Account } from "../account";
import { DOCKER_RANGES } from "../addresses";
import type { Config, FleetNode } from "../config";
import { firstNode } from "../fleet";
import { pinnedNode } from "../fleet-plan";
import { dropletName, volumeName } from "../names";
import { type Ground, volumeUse } from "./ground";

/** Nodes by name, managers first. */
export type Nodes = Readonly<Record<string, Node>>;

/** Label of the nodes that take requests from outside: the edge runs there. */
export const INGRESS_LABEL = "ingress";

/** Every node of the stack. The first starts the swarm; each other one joins it by the managers before it. */
export function makeNodes(config: Config, account: Account, ground: Ground): Nodes {
  const cluster =
    config.machines === "real"
      ? new swarm.Cluster("swarm", {
          name: config.stack,
          defaultAddrPool: [DOCKER_RANGES.overlay],
        })
      : undefined;
  const nodes: Record<string, Node> = {};
  const managers: swarm.Node[] = [];
  for (const [name, node] of Object.entries(config.nodes)) {
    const founder = nodes[firstNode(config)];
    nodes[name] = makeNode(name, node, config, account, {
      ...ground,
      ...(cluster && { cluster }),
      ...(founder && { founder, peers: [...managers] }),
    });
    const { member } = nodes[name];
    if (node.role === "manager" && member) managers.push(member);
  }
  return nodes;
}

interface Surroundings extends Ground {
  readonly cluster?: swarm.Cluster;
  readonly founder?: Node;
  readonly peers?: readonly swarm.Node[];
}

function makeNode(
  name: string,
  { size, role }: FleetNode,
  config: Config,
  account: Account,
  surroundings: Surroundings,
): Node {
  const { stack, region, protect, image } = config;
  const { network, access, cluster, founder, peers } = surroundings;
  const volume = name === firstNode(config) ? volumeUse(config, surroundings) : undefined;
  const pinned = name === pinnedNode(config);
  const ingress = takesRequests(name, config);
  const tags = [network.tag, network.roleTags[role], ingress && network.roleTags.ingress];
  return new Node(name, {
    dropletName: dropletName(stack, name),
    region,
    size,
    resize: pinned ? "in-place" : "replace",
    image,
    vpcId: network.vpcId,
    tags: tags.filter((tag) => tag !== undefined && tag !== false),
    sshKeys: access.fingerprints,
    authorizedKeys: access.publicKeys,
    role,
    labels: {
      pool: role,
      vcpus: String(account.sizes.find(({ slug }) => slug === size)?.vcpus ?? 1),
      ...(ingress && { [INGRESS_LABEL]: "true" }),
    },
    volumeName: volumeName(stack),
    ...(volume && { volume }),
    ...(cluster && { cluster }),
    ...(founder && { founder }),
    ...(peers && { peers }),
    // Other nodes hold nothing that could be lost.
    protect: protect && pinned,
    after: [network.firewall],
  });
}

/** A Load Balancer sends requests to every node, a floating IP leads to one. */
function takesRequests(name: string, config: Config): boolean {
  return config.ingress === "load-balancer" || name === firstNode(config);
}

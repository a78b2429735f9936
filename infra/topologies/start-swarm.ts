import type { Node } from "../../components/node";
import * as swarm from "../../providers/swarm/sdk";
import { DOCKER_RANGES } from "../addresses";
import type { Config } from "../config";
import type { Ground } from "./ground";
import { FIRST_SITE, inSite } from "./site";

/** Starts the swarm on the first of the nodes, and has all of them join; simulated machines do neither. */
export function startSwarm(
  { stack, machines, nodes: configured }: Config,
  { network, bastion }: Pick<Ground, "network" | "bastion">,
  nodes: Readonly<Record<string, Node>>,
  site = FIRST_SITE,
): swarm.Cluster | undefined {
  const [first] = Object.values(nodes);
  if (machines === "simulated" || first === undefined) return undefined;
  const cluster = new swarm.Cluster(
    "swarm",
    {
      name: stack,
      defaultAddrPool: [DOCKER_RANGES.overlay],
      tag: network.tag,
      ...(bastion?.jumpHost && { bastion: bastion.jumpHost }),
      managers: Object.values(configured).filter(({ role }) => role === "manager").length,
      first: first.first,
    },
    inSite(site),
  );
  for (const node of Object.values(nodes)) node.join(cluster);
  return cluster;
}

import { Node, type NodeArgs } from "../../components/node";
import type { Account } from "../account";
import type { Config, FleetNode } from "../config";
import { firstNode } from "../fleet";
import { isHeld, pinnedNode } from "../fleet-plan";
import { dropletName, volumeName } from "../names";
import { type Ground, volumeUse } from "./ground";
import { FIRST_SITE, inSite, type Site } from "./site";

/** Nodes by name, managers first. */
export type Nodes = Readonly<Record<string, Node>>;

/** Label of the nodes that take requests from outside: the edge runs there. */
export const INGRESS_LABEL = "ingress";

/** Every node of a site. */
export function makeNodes(
  config: Config,
  account: Account,
  ground: Ground,
  site: Site = FIRST_SITE,
): Nodes {
  return Object.fromEntries(
    Object.entries(config.nodes).map(([name, node]) => [
      name,
      makeNode(name, node, config, account, ground, site),
    ]),
  );
}

function makeNode(
  name: string,
  { size, role }: FleetNode,
  config: Config,
  account: Account,
  ground: Ground,
  site: Site,
): Node {
  const { stack, region, protect, image } = config;
  const { network, bastion, access } = ground;
  const volume = name === firstNode(config) ? volumeUse(config, ground) : undefined;
  const pinned = name === pinnedNode(config);
  const ingress = takesRequests(name, config);
  const tags = [network.tag, network.roleTags[role], ingress && network.roleTags.ingress];
  const args = {
    dropletName: dropletName(stack, name),
    region,
    size,
    resize: pinned ? "in-place" : "replace",
    image,
    vpcId: network.vpcId,
    bastion,
    tags: tags.filter((tag) => tag !== undefined && tag !== false),
    sshKeys: access.fingerprints,
    authorizedKeys: access.publicKeys,
    joins: config.machines === "real",
    alone: config.topology === "single-node",
    role,
    labels: {
      pool: role,
      vcpus: String(account.sizes.find(({ slug }) => slug === size)?.vcpus ?? 1),
      ...(ingress && { [INGRESS_LABEL]: "true" }),
    },
    volumeName: volumeName(stack),
    ...(volume && { volume }),
    held: isHeld(name, config),
    // What a Volume is attached to is not replaced.
    userData: config.roll?.userData && !pinned && !isHeld(name, config) ? "replace" : "keep",
    // Other nodes hold nothing that could be lost.
    protect: protect && pinned,
    // A Volume that grows keeps its Droplet from being resized at the same moment.
    after: [
      ...network.ready,
      ...(volume && ground.volume ? [ground.volume] : []),
      ...site.beforeNodes,
    ],
  } satisfies NodeArgs;
  return new Node(name, args, inSite(site));
}

/** A Load Balancer sends requests to every node, a floating IP leads to one. */
function takesRequests(name: string, config: Config): boolean {
  return config.ingress === "load-balancer" || name === firstNode(config);
}

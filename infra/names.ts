/** Names in the DigitalOcean account. Each starts with or holds the stack's name: a stack is an environment. */

/** On everything of a stack that can carry a tag; Firewalls and the cost report select by it. */
export const stackTag = (stack: string) => `archipelago-${stack}`;

/** On the nodes of one role, on those that take requests from outside, and on the bastion. */
export const roleTag = (stack: string, role: "manager" | "worker" | "ingress" | "bastion") =>
  `${stackTag(stack)}-${role}`;

/** VPC, Firewall, Load Balancer and Project. */
export const stackName = (stack: string) => `archipelago-${stack}`;

export const dropletName = (stack: string, node: string) => `${stack}-${node}`;

/** The machine that SSH goes through to nodes without a public address, as nodes are called. */
export const BASTION = "bastion";

export const databaseName = (stack: string) => `${stack}-postgres`;

export const cacheName = (stack: string) => `${stack}-cache`;

/** @param chosen in the stack file: names of registries are unique in the world. */
export const registryName = (stack: string, chosen?: string) => chosen ?? `archipelago-${stack}`;

/** The Volume outlives its node, so it is not named for one. Also names its device on the Droplet. */
export const volumeName = (stack: string) => `${stack}-data`;

/** Where the Volume is mounted on the node that holds it. */
export const VOLUME_MOUNT = "/mnt/data";

/** Names in the DigitalOcean account. Each starts with or holds the stack's name: a stack is an environment. */

/** On everything of a stack that can carry a tag; Firewalls and the cost report select by it. */
export const stackTag = (stack: string) => `archipelago-${stack}`;

/** VPC, Firewall and Project. */
export const stackName = (stack: string) => `archipelago-${stack}`;

export const dropletName = (stack: string, node: string) => `${stack}-${node}`;

/** The Volume outlives its node, so it is not named for one. Also names its device on the Droplet. */
export const volumeName = (stack: string) => `${stack}-data`;

/** Where the Volume is mounted on the node that holds it. */
export const VOLUME_MOUNT = "/mnt/data";

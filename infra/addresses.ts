import { createHash } from "node:crypto";

/**
 * Address ranges that Docker uses on every node. A VPC must not overlap them: a packet for a
 * colleague node would then go to a container instead.
 */
export const DOCKER_RANGES = {
  /** Docker's default bridge. */
  bridge: "172.17.0.0/16",
  /** Other bridges, docker_gwbridge among them. */
  bridges: "172.18.0.0/15",
  /** Overlay networks: given to `swarm init`, where it can be chosen only once. */
  overlay: "172.20.0.0/14",
} as const;

/** Ranges a VPC may be cut from (RFC 1918). */
export const PRIVATE_RANGES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] as const;

/**
 * The VPC of a stack that names none: a /20 in 10.64.0.0/11, chosen by the stack's name, so that it
 * never changes and two stacks of one account rarely meet (VPCs of an account may not overlap).
 */
export function defaultVpcCidr(stack: string): string {
  return vpcIn(64, stack);
}

/** The same for a second site, in 10.96.0.0/11: it never meets the first one's. */
export function secondVpcCidr(stack: string): string {
  return vpcIn(96, stack);
}

function vpcIn(block: number, stack: string): string {
  const digest = createHash("sha256").update(stack).digest();
  return `10.${block + (digest.readUInt8(0) % 32)}.${(digest.readUInt8(1) % 16) * 16}.0/20`;
}

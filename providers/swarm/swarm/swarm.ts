import type { Context } from "../protocol/resource";
import type { JumpHost } from "../ssh/connection";
import type { Connection } from "../ssh/pool";
import type { Member, SwarmEngine } from "./engine";
import { Turns } from "./turns";

/** Marks the swarm as ours, so that a node of another one is not taken for a member. */
export const CLUSTER_LABEL = "archipelago.cluster";

/** What identifies a swarm, whatever its nodes are. */
export interface SwarmIdentity {
  readonly clusterId: string;
  /** Its members' proof of membership is made with it. Secret. */
  readonly clusterKey: string;
  /** All its Droplets carry it. */
  readonly tag: string;
  /** The way to all its nodes, where they have private addresses only. */
  readonly bastion?: JumpHost | undefined;
}

/** How the nodes of a swarm are reached. */
export interface Reach {
  /**
   * A manager that answers, but not the node `except`.
   *
   * @throws {Error} with what each candidate said.
   */
  manager(context: Context, except?: string): Promise<SwarmEngine>;
  /** The member's own engine; `undefined` when it does not answer in a few seconds. */
  machine(member: Member, context: Context): Promise<SwarmEngine | undefined>;
}

/** The way to the other nodes: the one that is to leave is asked nothing about the swarm. */
export function without(reach: Reach, nodeId: string): Reach {
  return {
    manager: (context) => reach.manager(context, nodeId),
    machine: (member, context) => reach.machine(member, context),
  };
}

/** One swarm as this process deals with it. */
export class Swarm {
  /** One piece of work at a time; other processes are kept out by the lock. */
  readonly turns = new Turns();
  /** Nodes of this process that are still to join: the tokens are rotated after the last of them. */
  joinsAhead = 0;
  /** This process has read join tokens since it rotated them last. */
  tokensRead = false;
  /** Swarm node ID → URN of the resource that this process saw to be it. */
  readonly settled = new Map<string, string>();

  constructor(
    readonly clusterId: string,
    /** This process, in the lock. */
    readonly owner: string,
    readonly reach: Reach,
  ) {}
}

/** Labels that members carry, beside those that the program gives them. */
export const MEMBER_LABELS = {
  /** `NodeArgs.name`. */
  name: "archipelago.node",
  /** `NodeArgs.dropletId`. */
  droplet: "archipelago.droplet",
  /** `host:port` of its SSH server. */
  ssh: "archipelago.ssh",
  /** Its permanent host key. */
  hostKey: "archipelago.host-key",
  /** The step of leaving that was begun last. */
  leaving: "archipelago.leaving",
} as const;

/** How a member that this provider joined is reached over SSH. */
export function connectionOf({ labels }: Member): Connection | undefined {
  const address = labels[MEMBER_LABELS.ssh];
  const hostKey = labels[MEMBER_LABELS.hostKey];
  const match = /^(.+):(\d+)$/.exec(address ?? "");
  if (!match?.[1] || hostKey === undefined) return undefined;
  return { host: match[1], port: Number(match[2]), user: "root", hostKey };
}

/** The members that a `Node` of this name made: the one there is, and any that it is to replace. */
export function isNamed(name: string, { labels, hostname }: Member): boolean {
  // Killed between joining and being labelled, a node still has its Droplet's name.
  return (labels[MEMBER_LABELS.name] ?? hostname) === name;
}

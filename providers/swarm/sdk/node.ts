import type * as pulumi from "@pulumi/pulumi";
import type { Connection, JumpHost } from "./connection";
import { secretly, SwarmResource } from "./resource";

/** A directory that must exist on a node's Volume. */
export interface NodeDirectory {
  /** Relative to the mount point, without `..`. */
  readonly path: string;
  /** Octal mode, given when the directory is made. @default "0755" */
  readonly mode?: string;
}

/** A Volume that user data formats and mounts. */
export interface NodeVolume {
  /** `/dev/disk/by-id/scsi-0DO_Volume_<name>`. */
  readonly device: pulumi.Input<string>;
  /** Absolute path. */
  readonly mountPoint: pulumi.Input<string>;
  /** Once the device has this size its file system (xfs or ext4) is grown to it, while mounted. */
  readonly sizeGib: pulumi.Input<number>;
  /** @default none */
  readonly directories?: pulumi.Input<pulumi.Input<NodeDirectory>[]>;
}

export interface NodeArgs {
  /** `Cluster.id`. Changing this takes the node out of one swarm and into another. */
  readonly cluster: pulumi.Input<string>;
  /** `Cluster.signingKey`. */
  readonly clusterKey: pulumi.Input<string>;
  /** `Cluster.tag`. */
  readonly tag: pulumi.Input<string>;
  /** The name of its Droplet, unique in the swarm: whatever else stands under it leaves. Changing this replaces the node. */
  readonly name: pulumi.Input<string>;
  /** `manager` or `worker`. Changing this promotes or demotes in place. */
  readonly role: pulumi.Input<string>;
  /** ID of the Droplet. Changing this joins the new Droplet, then has the old one leave. */
  readonly dropletId: pulumi.Input<string>;
  /** The Droplet's size slug: when it changes, the node is awaited until it is back after its power cycle. */
  readonly dropletSize?: pulumi.Input<string>;
  /** Public IPv4 address or name that SSH goes to; behind a bastion the private one. */
  readonly host: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: pulumi.Input<number>;
  /** `ClusterArgs.bastion`. @default none */
  readonly bastion?: pulumi.Input<JumpHost>;
  /** IPv4 address inside the VPC that other nodes use; it changes with the Droplet only. */
  readonly privateIp: pulumi.Input<string>;
  /** `HostKey.publicKey` of the Droplet's user data; of use at the first connection only. */
  readonly bootHostKey: pulumi.Input<string>;
  /** OpenSSH public keys: the only ones that may log in as root, the operator's among them. @default left alone */
  readonly authorizedKeys?: pulumi.Input<pulumi.Input<string>[]>;
  /** Swarm node labels. Labels that others set on the node stay. @default none */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** `active`, `pause` (no new tasks) or `drain` (no tasks). @default "active" */
  readonly availability?: pulumi.Input<string>;
  readonly volume?: pulumi.Input<NodeVolume>;
}

/**
 * A Droplet's membership of a swarm. It depends on no other node: it finds a living manager itself, and nodes join and leave
 * one at a time, under a lock that is kept in the swarm.
 *
 * Create waits for SSH (≤ 300 s) and for cloud-init (≤ 900 s), has the node make its permanent host key, joins the
 * swarm and is done when that counts the node as ready. Killed at any point, the next `pulumi up` finishes it: a node
 * whose key was exchanged already introduces the new one with a signature by the old.
 * Update brings machine, keys, labels, role, availability and Volume to what the inputs say, after waiting for a node that
 * was resized. A new machine joins first; then the old one leaves.
 * Read finds a node that has left, is down, was demoted, paused or drained by hand, and changed labels and keys.
 * Delete has the node leave safely: its tasks run elsewhere before they stop there, its edge fails the health check first,
 * and a manager goes only if the others stay a quorum. A node that does not answer within 12 s, and is down in its
 * swarm, is struck off the list.
 * Import: by the ID of its cluster's import, `/` and its name or swarm node ID. The next update puts right, in place, what
 * only the program knows.
 *
 * Services say how their tasks move by labels of their own: `archipelago.drain`, a JSON array of a command, is run in
 * each of their tasks on the node before those stop, and `archipelago.drain-seconds` waited; with
 * `archipelago.singleton=true` they never run twice, but stop and start elsewhere.
 *
 * Login keys come from ARCHIPELAGO_SSH_KEY, else the SSH agent, else `~/.ssh/id_ed25519`, and are in no state.
 *
 * @throws {Error} when user data failed, with its last 20 lines; when the machine shows another host key; when no key may
 * log in; when the machine is a member of another swarm; when managers would lose their quorum; when the tasks of a node
 * that leaves have no place elsewhere (the node then stays as it was).
 */
export class Node extends SwarmResource {
  /** Swarm node ID: another one with each machine. */
  declare readonly nodeId: pulumi.Output<string>;
  /** The permanent host key. */
  declare readonly hostKey: pulumi.Output<string>;
  declare readonly connection: pulumi.Output<Connection>;
  /** `privateIp`. */
  declare readonly address: pulumi.Output<string>;

  constructor(name: string, args: NodeArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["nodeId", "hostKey", "connection", "address"];
    super("Node", name, { ...args }, outputs, secretly(opts, "clusterKey"));
  }
}

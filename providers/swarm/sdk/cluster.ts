import type * as pulumi from "@pulumi/pulumi";
import type { JumpHost } from "./connection";
import { secretly, SwarmResource } from "./resource";

/** The Droplet that a swarm starts on. */
export interface FirstNode {
  /** Public IPv4 address or name that SSH goes to; behind a bastion the private one. */
  readonly host: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: pulumi.Input<number>;
  /** IPv4 address inside the VPC that other nodes use. */
  readonly privateIp: pulumi.Input<string>;
  /** `HostKey.publicKey` of the Droplet's user data. */
  readonly bootHostKey: pulumi.Input<string>;
  readonly dropletId: pulumi.Input<string>;
}

export interface ClusterArgs {
  /** Lower-case letters, digits and hyphens, at most 63. It cannot be changed. */
  readonly name: pulumi.Input<string>;
  /**
   * IPv4 CIDRs that overlay networks are cut from, /24 each. They must not overlap the VPC. Docker takes them only when a swarm
   * starts, so that they cannot be changed.
   *
   * @default Docker's 10.0.0.0/8
   */
  readonly defaultAddrPool?: pulumi.Input<pulumi.Input<string>[]>;
  /** How many managers the program has: 1, 3, 5 or 7. Checked, and used for nothing else. @default not checked */
  readonly managers?: pulumi.Input<number>;
  /** A tag that all Droplets of the swarm carry and no others: its nodes are found by it when nothing else is known. */
  readonly tag: pulumi.Input<string>;
  /** The way to all its nodes, where they have private addresses only. @default none: they are reached directly */
  readonly bastion?: pulumi.Input<JumpHost>;
  /** Where the swarm starts. Of use once: whoever is first later on joins as the others do. */
  readonly first: pulumi.Input<FirstNode>;
}

/**
 * A swarm. Create starts it, on `first` and exactly once: what was started by a run that was killed is kept. It outlives every
 * node, that one included, and ends with the last.
 *
 * Create waits for SSH (≤ 300 s) and for cloud-init (≤ 900 s), and has the machine make its permanent host key.
 * Read finds it gone only when that is sure: DigitalOcean knows no Droplet with `tag`, or each of them answers and is no
 * member. Delete does nothing: `deletedWith: cluster` lets nodes and services go without a living swarm.
 * Import, of a swarm that Archipelago started and no state knows any more: by `<manager>[:<port>]#<fingerprint of its host
 * key>`. It gets a new signing key.
 *
 * @throws {Error} in the preview, when `name` or `defaultAddrPool` of a swarm that exists change.
 */
export class Cluster extends SwarmResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly defaultAddrPool: pulumi.Output<string[] | undefined>;
  declare readonly tag: pulumi.Output<string>;
  declare readonly bastion: pulumi.Output<JumpHost | undefined>;
  /** Signs the host keys of members, so that they can be told from strangers. Ed25519, PKCS #8 in PEM. Secret. */
  declare readonly signingKey: pulumi.Output<string>;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["name", "defaultAddrPool", "tag", "bastion", "signingKey"];
    super("Cluster", name, { ...args }, outputs, secretly(opts, "signingKey"));
  }
}

import type * as pulumi from "@pulumi/pulumi";
import type { JumpHost } from "./connection";
import { SwarmResource } from "./resource";

export interface BastionArgs {
  /** Of its Droplet. It cannot be changed. */
  readonly name: pulumi.Input<string>;
  /** ID of the Droplet. Changing this meets the new one. */
  readonly dropletId: pulumi.Input<string>;
  /** Public IPv4 address or name. */
  readonly host: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: pulumi.Input<number>;
  /** `HostKey.publicKey` of the Droplet's user data; of use at the first connection only. */
  readonly bootHostKey: pulumi.Input<string>;
  /** OpenSSH public keys: the only ones that may log in as root, the operator's among them. */
  readonly authorizedKeys: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * A Droplet that SSH goes through to nodes without a public address. It is no member of a swarm.
 *
 * Create and update wait for it as `Node` does, have it make its permanent host key in the same way, and set who may log
 * in. Delete does nothing: it goes with its Droplet.
 */
export class Bastion extends SwarmResource {
  /** The permanent host key. */
  declare readonly hostKey: pulumi.Output<string>;
  /** As `bastion` of `Node` and `Cluster`. */
  declare readonly connection: pulumi.Output<JumpHost>;

  constructor(name: string, args: BastionArgs, opts?: pulumi.CustomResourceOptions) {
    super("Bastion", name, { ...args }, ["hostKey", "connection"], opts);
  }
}

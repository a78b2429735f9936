import type * as pulumi from "@pulumi/pulumi";
import { secretly, SwarmResource } from "./resource";

export interface HostKeyArgs {
  /** Says whose key it is, in the resource's ID. Changing it keeps the key. */
  readonly name: pulumi.Input<string>;
}

/**
 * A one-time SSH host key for a Droplet's user data (`ssh_keys` of cloud-init).
 *
 * It is good for the first connection only: `Node` exchanges it for a key that never leaves the node. Whoever can read
 * the user data until then could pass for the node.
 */
export class HostKey extends SwarmResource {
  /** `ssh-ed25519 AAAA…`. */
  declare readonly publicKey: pulumi.Output<string>;
  /** OpenSSH PEM. Secret. */
  declare readonly privateKey: pulumi.Output<string>;

  constructor(name: string, args: HostKeyArgs, opts?: pulumi.CustomResourceOptions) {
    super("HostKey", name, { ...args }, ["publicKey", "privateKey"], secretly(opts, "privateKey"));
  }
}

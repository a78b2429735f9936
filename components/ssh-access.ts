import { createHash } from "node:crypto";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

/** A key that may log in: one of the account, or one that this stack puts there. */
export type AccessKey =
  | { readonly publicKey: string; readonly fingerprint: string }
  | {
      readonly publicKey: string;
      /** Name in the account. */
      readonly name: string;
    };

export interface SshAccessArgs {
  readonly keys: readonly AccessKey[];
}

/**
 * Who may log in to new Droplets: a key in the account for each public key that it does not have yet.
 *
 * ```ts
 * new SshAccess("ssh", { keys: [{ publicKey: "ssh-ed25519 AAAA…", name: "prod-1a2b3c4d" }] });
 * ```
 *
 * Running nodes learn their keys from `swarm:Node`, since DigitalOcean reads these at birth only.
 */
export class SshAccess extends pulumi.ComponentResource {
  /** Fingerprints, as Droplets take them. */
  readonly fingerprints: pulumi.Output<string>[];
  /** OpenSSH public keys without comments. */
  readonly publicKeys: string[];

  constructor(name: string, { keys }: SshAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:ssh:SshAccess", name, {}, opts);
    this.fingerprints = keys.map((key) => {
      if ("fingerprint" in key) return pulumi.output(key.fingerprint);
      const { publicKey } = key;
      // The account holds a public key once only: an old one goes before its renamed self comes.
      return new digitalocean.SshKey(
        key.name,
        { name: key.name, publicKey },
        { parent: this, deleteBeforeReplace: true },
      ).fingerprint;
    });
    this.publicKeys = keys.map(({ publicKey }) => publicKey);
    this.registerOutputs({});
  }
}

/** Name of a key in the account: the same key has the same name on every machine. */
export function accessKeyName(stack: string, publicKey: string): string {
  return `${stack}-${createHash("sha256").update(publicKey).digest("hex").slice(0, 8)}`;
}

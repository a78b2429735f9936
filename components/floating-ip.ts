import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

export interface FloatingIpArgs {
  /** DigitalOcean region slug. Changing this replaces a new Reserved IP: another address. */
  readonly region: string;
  readonly dropletId: pulumi.Input<number>;
  /**
   * IPv4 address of a Reserved IP that the account has. It is assigned, never created or deleted.
   *
   * @default a new one, protected
   */
  readonly existing?: string | undefined;
  /** Refuse to delete a new Reserved IP. */
  readonly protect: boolean;
  /** Other actions on the Droplet: DigitalOcean takes one at a time, and the provider does not try again. */
  readonly after?: readonly pulumi.Resource[];
}

/**
 * The address of the app: a Reserved IP, assigned to one Droplet.
 *
 * ```ts
 * new FloatingIp("address", { region: "fra1", dropletId, protect: true });
 * ```
 *
 * Costs nothing while assigned. It does not move by itself.
 */
export class FloatingIp extends pulumi.ComponentResource {
  /** IPv4 address. */
  readonly address: pulumi.Output<string>;
  /** DigitalOcean URN of a new Reserved IP. */
  readonly ipUrn: pulumi.Output<string> | undefined;
  readonly assignment: digitalocean.ReservedIpAssignment;

  constructor(name: string, args: FloatingIpArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:ingress:FloatingIp", name, {}, opts);

    let reservedIp: digitalocean.ReservedIp | undefined;
    if (args.existing === undefined) {
      reservedIp = new digitalocean.ReservedIp(
        name,
        { region: args.region },
        {
          parent: this,
          protect: args.protect,
          // The assignment below decides it; the provider reads it back here too.
          ignoreChanges: ["dropletId"],
        },
      );
    }
    this.address = reservedIp?.ipAddress ?? pulumi.output(args.existing ?? "");
    this.ipUrn = reservedIp?.reservedIpUrn;
    this.assignment = new digitalocean.ReservedIpAssignment(
      name,
      { ipAddress: this.address, dropletId: args.dropletId },
      // An address has one assignment: the old one goes first.
      { parent: this, deleteBeforeReplace: true, dependsOn: [...(args.after ?? [])] },
    );
    this.registerOutputs({ address: this.address });
  }
}

import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import * as swarm from "../../providers/swarm/sdk";
import { type DropletChanges, dropletOptions } from "../droplet-options";
import { outboundRules, sshRules } from "../network";
import { bastionUserData } from "./user-data";

export interface BastionArgs extends DropletChanges {
  /** Name of the Droplet and of its Firewall in the account. */
  readonly dropletName: string;
  /** DigitalOcean region slug. Changing this replaces the Droplet. */
  readonly region: string;
  /** Changing this replaces the Droplet, the new one first. */
  readonly size: string;
  /** Image slug. Changing this replaces the Droplet, the new one first. */
  readonly image: string;
  /** VPC UUID. Changing this replaces the Droplet. */
  readonly vpcId: pulumi.Input<string>;
  /** Tag of its own, which Firewalls select it by. */
  readonly tag: pulumi.Input<string>;
  /** CIDRs that may reach SSH. */
  readonly sshFrom: readonly string[];
  /** Fingerprints of the account's keys that may log in from birth. */
  readonly sshKeys: pulumi.Input<string>[];
  /** OpenSSH public keys that may log in now. */
  readonly authorizedKeys: readonly string[];
  /** A machine runs, and is met; simulated ones are not. */
  readonly meets: boolean;
}

/**
 * The one machine with a public address: SSH goes through it to nodes without any, and is encrypted and checked end to end,
 * so that it needs no trust beyond passing bytes on. Nothing but SSH from `sshFrom` reaches it.
 *
 * ```ts
 * new Bastion("bastion", { dropletName: "prod-bastion", region: "fra1", size: "s-1vcpu-512mb-10gb", … });
 * ```
 *
 * Costs the Droplet's size. While it is away the app goes on, and nothing can be changed.
 */
export class Bastion extends pulumi.ComponentResource {
  readonly droplet: digitalocean.Droplet;
  /** How it is reached; absent where machines are simulated. */
  readonly jumpHost: pulumi.Output<swarm.JumpHost> | undefined;

  constructor(name: string, args: BastionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:bastion:Bastion", name, {}, opts);
    const child = { parent: this };

    const firewall = new digitalocean.Firewall(
      name,
      {
        name: args.dropletName,
        tags: [args.tag],
        inboundRules: sshRules({ sourceAddresses: [...args.sshFrom] }),
        outboundRules: outboundRules(),
      },
      child,
    );
    const bootKey = args.meets ? new swarm.HostKey(`${name}-boot`, { name }, child) : undefined;
    this.droplet = new digitalocean.Droplet(
      name,
      {
        name: args.dropletName,
        region: args.region,
        size: args.size,
        image: args.image,
        vpcUuid: args.vpcId,
        tags: [args.tag],
        sshKeys: args.sshKeys,
        userData: userDataWith(bootKey),
        monitoring: true,
      },
      { ...child, ...dropletOptions(args, [firewall]), replaceOnChanges: ["size"] },
    );
    this.jumpHost = bootKey && this.meet(name, args, bootKey);
    this.registerOutputs({});
  }

  private meet(
    name: string,
    { dropletName, authorizedKeys }: BastionArgs,
    bootKey: swarm.HostKey,
  ): pulumi.Output<swarm.JumpHost> {
    const { connection } = new swarm.Bastion(
      name,
      {
        name: dropletName,
        dropletId: this.droplet.id,
        host: this.droplet.ipv4Address,
        bootHostKey: bootKey.publicKey,
        authorizedKeys: [...authorizedKeys],
      },
      { parent: this },
    );
    return connection;
  }
}

function userDataWith(bootKey: swarm.HostKey | undefined) {
  if (bootKey === undefined) return bastionUserData();
  return pulumi
    .all([bootKey.publicKey, bootKey.privateKey])
    .apply(([publicKey, privateKey]) => bastionUserData({ publicKey, privateKey }));
}

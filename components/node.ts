import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import * as swarm from "../providers/swarm/sdk";
import type { Bastion } from "./bastion/bastion";
import { type DropletChanges, dropletOptions } from "./droplet-options";
import { userData } from "./node/user-data";

export interface NodeArgs extends DropletChanges {
  /** Name of the Droplet in the account. */
  readonly dropletName: string;
  /** DigitalOcean region slug. Changing this replaces the Droplet. */
  readonly region: string;
  readonly size: string;
  /**
   * What another size means: power off for about a minute, with the disk kept; or a new Droplet, which joins before the old
   * one leaves.
   */
  readonly resize: "in-place" | "replace";
  /** Image slug. Changing this replaces the Droplet. */
  readonly image: string;
  /** VPC UUID. Changing this replaces the Droplet. */
  readonly vpcId: pulumi.Input<string>;
  /** The way to it, when it has no public address. Giving or taking it replaces the Droplet. @default it has one */
  readonly bastion?: Bastion | undefined;
  readonly tags: pulumi.Input<string>[];
  /** Fingerprints of the account's keys that may log in from birth. */
  readonly sshKeys: pulumi.Input<string>[];
  /** OpenSSH public keys that may log in now. */
  readonly authorizedKeys: readonly string[];
  /** It becomes a member of a swarm, by `join`; simulated machines do not. */
  readonly joins: boolean;
  readonly role: "manager" | "worker";
  /** Name of the stack's Volume: user data knows it on every node. */
  readonly volumeName: string;
  /** It ends its swarm when it is destroyed, and lets go of its Volume first. @default false: it need not leave then */
  readonly alone?: boolean;
  /** Node labels in the swarm, which placement constraints name. */
  readonly labels: Readonly<Record<string, string>>;
  /** The Volume, on the node that has it. @default none */
  readonly volume?: {
    readonly id: pulumi.Input<string>;
    readonly sizeGib: number;
    readonly mountPoint: string;
    /** Directories that must exist on it, relative to the mount point. */
    readonly directories: readonly swarm.NodeDirectory[];
  };
  /** Refuse to delete the Droplet. */
  readonly protect: boolean;
  /** What must exist before the Droplet does: the Firewall. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * A Droplet that is a member of the swarm; with a Volume of data, or without.
 *
 * ```ts
 * new Node("manager-1", { dropletName: "prod-manager-1", size: "s-2vcpu-4gb", role: "manager", joins: true, … });
 * ```
 *
 * Costs the Droplet's size. Another image makes a new Droplet, which joins before the old one leaves. User data and keys
 * of a running Droplet are left as they are, unless asked otherwise.
 */
export class Node extends pulumi.ComponentResource {
  readonly droplet: digitalocean.Droplet;
  readonly attachment: digitalocean.VolumeAttachment | undefined;
  private readonly hostKey: swarm.HostKey | undefined;
  private membership: swarm.Node | undefined;

  constructor(
    private readonly label: string,
    private readonly args: NodeArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("archipelago:node:Node", label, {}, opts);
    const name = label;
    const child = { parent: this };

    this.hostKey = args.joins ? new swarm.HostKey(`${name}-boot`, { name }, child) : undefined;
    this.droplet = new digitalocean.Droplet(
      name,
      {
        name: args.dropletName,
        region: args.region,
        size: args.size,
        image: args.image,
        vpcUuid: args.vpcId,
        ...(args.bastion && { publicNetworking: false }),
        tags: args.tags,
        sshKeys: args.sshKeys,
        userData: nodeUserData(args.volumeName, this.hostKey),
        // The disk would only ever grow, and the way back be lost.
        resizeDisk: false,
        gracefulShutdown: true,
        // DigitalOcean's agent, which alarms on memory and disk need.
        monitoring: true,
      },
      {
        ...child,
        protect: args.protect,
        ...dropletOptions(args, args.after),
        ...(args.resize === "replace" && { replaceOnChanges: ["size"] }),
      },
    );
    this.attachment =
      args.volume &&
      new digitalocean.VolumeAttachment(
        // One for the stack, whichever node has the Volume: it moves, and is never there twice.
        "data",
        { dropletId: this.droplet.id.apply(Number), volumeId: args.volume.id },
        // A Volume is attached to one Droplet at a time.
        { ...child, deleteBeforeReplace: true, aliases: [{ name }] },
      );
    this.registerOutputs({});
  }

  /** Membership of the swarm; absent until it joins. */
  get member(): swarm.Node | undefined {
    return this.membership;
  }

  /** As the node that a swarm starts on. */
  get first(): swarm.FirstNode {
    return {
      host: this.args.bastion ? this.droplet.ipv4AddressPrivate : this.droplet.ipv4Address,
      privateIp: this.droplet.ipv4AddressPrivate,
      bootHostKey: this.bootKey.publicKey,
      dropletId: this.droplet.id,
    };
  }

  join(cluster: swarm.Cluster): void {
    const { args } = this;
    this.membership = new swarm.Node(
      this.label,
      {
        ...this.first,
        cluster: cluster.id,
        clusterKey: cluster.signingKey,
        tag: cluster.tag,
        ...(args.bastion?.jumpHost && { bastion: args.bastion.jumpHost }),
        name: args.dropletName,
        role: args.role,
        dropletSize: args.size,
        authorizedKeys: [...args.authorizedKeys],
        labels: args.labels,
        ...(args.volume && {
          volume: {
            device: `/dev/disk/by-id/scsi-0DO_Volume_${args.volumeName}`,
            mountPoint: args.volume.mountPoint,
            sizeGib: args.volume.sizeGib,
            directories: [...args.volume.directories],
          },
        }),
      },
      {
        parent: this,
        // It makes directories on the Volume.
        dependsOn: this.attachment ? [this.attachment] : [],
        ...(args.alone !== true && { deletedWith: cluster }),
        // They say what size the Droplet has.
        ...(args.held && { ignoreChanges: ["dropletSize", "labels"] }),
      },
    );
  }

  private get bootKey(): swarm.HostKey {
    if (this.hostKey === undefined) throw new Error(`${this.label} was not made to join a swarm`);
    return this.hostKey;
  }
}

function nodeUserData(volumeName: string, hostKey: swarm.HostKey | undefined) {
  if (hostKey === undefined) return userData({ volumeName });
  return pulumi
    .all([hostKey.publicKey, hostKey.privateKey])
    .apply(([publicKey, privateKey]) =>
      userData({ volumeName, hostKey: { publicKey, privateKey } }),
    );
}

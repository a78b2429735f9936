import * as digitalocean from "@pulumi/digitalocean";
import type * as pulumi from "@pulumi/pulumi";
import { Bastion } from "../../components/bastion/bastion";
import { Network } from "../../components/network";
import { SshAccess } from "../../components/ssh-access";
import type * as swarm from "../../providers/swarm/sdk";
import { accessKeys } from "../access-keys";
import type { Account } from "../account";
import type { Config } from "../config";
import { servicesWithVolume } from "../fleet";
import { isHeld } from "../fleet-plan";
import {
  BASTION,
  dropletName,
  roleTag,
  stackName,
  stackTag,
  VOLUME_MOUNT,
  volumeName,
} from "../names";
import { keepsVolume } from "../volume-use";

/** Where the program runs. */
export interface Place {
  /** Directory that build contexts start at. */
  readonly root: string;
  /** CIDRs that may reach SSH. */
  readonly sshFrom: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What Droplets stand on. */
export interface Ground {
  readonly network: Network;
  /** Absent where nodes have public addresses. */
  readonly bastion: Bastion | undefined;
  readonly access: SshAccess;
  /** Absent where nothing uses one. */
  readonly volume: digitalocean.Volume | undefined;
}

/** Network, keys and Volume: the same resources in every topology. */
export function layGround(config: Config, account: Account, place: Place): Ground {
  const network = makeNetwork(config, place);
  const access = new SshAccess("ssh", { keys: accessKeys(config, account) });
  const bastion = makeBastion(config, network, access, place);
  const volume = keepsVolume(config, account) ? makeVolume(config, network) : undefined;
  return { network, bastion, access, volume };
}

export function makeNetwork(
  { stack, region, vpcCidr, ingress, privateNodes }: Config,
  { sshFrom }: Place,
  opts?: pulumi.ComponentResourceOptions,
): Network {
  return new Network(
    "network",
    {
      name: stackName(stack),
      region,
      ipRange: vpcCidr,
      tag: stackTag(stack),
      roleTags: {
        manager: roleTag(stack, "manager"),
        worker: roleTag(stack, "worker"),
        ingress: roleTag(stack, "ingress"),
        ...(privateNodes.enabled && { bastion: roleTag(stack, "bastion") }),
      },
      ssh: privateNodes.enabled ? { by: "bastion" } : { from: sshFrom },
      web: ingress === "floating-ip",
      ...(privateNodes.enabled && { natGatewaySize: privateNodes.natGatewaySize }),
    },
    opts,
  );
}

/** The way to nodes without public addresses. */
export function makeBastion(
  config: Config,
  network: Network,
  access: SshAccess,
  { sshFrom }: Place,
  opts?: pulumi.ComponentResourceOptions,
): Bastion | undefined {
  const { stack, region, image, machines, privateNodes } = config;
  if (!privateNodes.enabled) return undefined;
  return new Bastion(
    BASTION,
    {
      dropletName: dropletName(stack, BASTION),
      region,
      size: privateNodes.bastionSize,
      image,
      vpcId: network.vpcId,
      tag: network.tagOf("bastion"),
      sshFrom,
      sshKeys: access.fingerprints,
      authorizedKeys: access.publicKeys,
      meets: machines === "real",
      held: isHeld(BASTION, config),
      userData: config.roll?.userData && !isHeld(BASTION, config) ? "replace" : "keep",
    },
    opts,
  );
}

function makeVolume({ stack, region, database, protect }: Config, network: Network) {
  return new digitalocean.Volume(
    "data",
    {
      name: volumeName(stack),
      region,
      size: database.volumeGib,
      // Grows while in use, locally too.
      initialFilesystemType: "xfs",
      initialFilesystemLabel: "data",
      tags: [network.tag],
    },
    { protect },
  );
}

/** How the node that has the Volume uses it. */
export function volumeUse(config: Config, { volume }: Ground) {
  return (
    volume && {
      id: volume.id,
      sizeGib: config.database.volumeGib,
      mountPoint: VOLUME_MOUNT,
      directories: dataDirectories(config),
    }
  );
}

/** Directories on the Volume that services are given. */
function dataDirectories(config: Config): swarm.NodeDirectory[] {
  return [
    { path: "edge" },
    ...(config.database.engine === "container" ? [{ path: "postgres" }] : []),
    // Images run as users of their own, which the node cannot know.
    ...servicesWithVolume(config).map((name) => ({ path: `services/${name}`, mode: "0777" })),
  ];
}

import * as pulumi from "@pulumi/pulumi";
import type { Node } from "../../components/node";
import type { Account } from "../account";
import { maxAgeHours } from "../backup-age";
import type { Config } from "../config";
import { dollars, monthlyCost } from "../cost";
import type { Ground } from "./ground";
import type { Ingress } from "./ingress";
import type { Managed } from "./managed";
import type { Nodes } from "./nodes";
import type { SecondStack } from "./second-site";

const NOT_SERVED = "not served: simulated machine";

/** What serving gave. */
export interface Served {
  readonly url: pulumi.Output<string>;
  /** Running images by service. */
  readonly images: Readonly<Record<string, pulumi.Output<string>>>;
  /** What is there once the app is well. */
  readonly done: readonly pulumi.Resource[];
}

export function notServed(): Served {
  void pulumi.log.info(NOT_SERVED);
  return { url: pulumi.output(NOT_SERVED), images: {}, done: [] };
}

interface Stack {
  readonly ground: Pick<Ground, "bastion">;
  readonly nodes: Nodes;
  readonly ingress: Ingress;
  readonly managed: Managed;
  readonly second: SecondStack | undefined;
}

/** What operators and commands read. No secrets. */
export function outputs(
  config: Config,
  account: Account,
  { ground, nodes, ingress, managed, second }: Stack,
  { url, images }: Served,
) {
  const [first] = Object.values(nodes);
  const { address, balancer } = ingress;
  const database = managed.postgres?.server.cluster;
  const copy = managed.postgres?.replicaElsewhere;
  return {
    url,
    address,
    nodes: nodeOutputs(nodes, config),
    ...bastionOutputs(ground),
    services: Object.fromEntries(
      Object.entries(config.services).map(([service, { replicas, routes, image }]) => [
        service,
        { image: images[service] ?? image ?? "", replicas, routes },
      ]),
    ),
    ...(second && {
      secondSite: {
        region: second.config.region,
        nodes: nodeOutputs(second.nodes, second.config),
        ...bastionOutputs(second.ground),
        loadBalancer: {
          id: ingress.secondBalancer?.balancer.id,
          address: ingress.secondBalancer?.address,
        },
        ...(copy && { database: { privateHost: copy.privateHost, port: copy.port } }),
      },
    }),
    ...(balancer && { loadBalancer: { id: balancer.balancer.id, address } }),
    ...(database && { database: { privateHost: database.privateHost, port: database.port } }),
    ...(managed.files && { files: { bucket: managed.files.bucket.name } }),
    ...(managed.backups && {
      backup: { bucket: managed.backups.bucket.name, ...backupOutputs(config) },
    }),
    monthlyCost: dollars(monthlyCost(config, account).after),
    ...(first?.member && { sshCommand: sshCommand(first, ground) }),
  };
}

function backupOutputs({ backup }: Config) {
  if (backup === undefined) return {};
  const { recipient, alarm = {} } = backup;
  const ways = (["webhook", "mail", "heartbeat"] as const).filter((way) => alarm[way]);
  return { recipient, maxAgeHours: maxAgeHours(backup), alarm: ways };
}

function sshCommand({ droplet }: Node, { bastion }: Pick<Ground, "bastion">) {
  return bastion
    ? pulumi.interpolate`ssh -J root@${bastion.droplet.ipv4Address} root@${droplet.ipv4AddressPrivate}`
    : pulumi.interpolate`ssh root@${droplet.ipv4Address}`;
}

function bastionOutputs({ bastion }: Pick<Ground, "bastion">) {
  if (bastion === undefined) return {};
  const { droplet, jumpHost } = bastion;
  return {
    bastion: {
      publicIp: droplet.ipv4Address,
      ...(jumpHost && { connection: jumpHost }),
    },
  };
}

function nodeOutputs(nodes: Nodes, config: Config) {
  return Object.entries(nodes).map(([name, { droplet, member }]) => ({
    name,
    role: config.nodes[name]?.role,
    size: droplet.size,
    ...(!config.privateNodes.enabled && { publicIp: droplet.ipv4Address }),
    privateIp: droplet.ipv4AddressPrivate,
    ...(member && { hostKey: member.hostKey, connection: member.connection }),
  }));
}

import * as pulumi from "@pulumi/pulumi";
import type { Account } from "../account";
import type { Config } from "../config";
import { dollars, monthlyCost } from "../cost";
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
  readonly nodes: Nodes;
  readonly ingress: Ingress;
  readonly managed: Managed;
  readonly second: SecondStack | undefined;
}

/** What operators and commands read. No secrets. */
export function outputs(
  config: Config,
  account: Account,
  { nodes, ingress, managed, second }: Stack,
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
    monthlyCost: dollars(monthlyCost(config, account).after),
    ...(first?.member && { sshCommand: pulumi.interpolate`ssh root@${first.droplet.ipv4Address}` }),
  };
}

function nodeOutputs(nodes: Nodes, config: Config) {
  return Object.entries(nodes).map(([name, { droplet, member }]) => ({
    name,
    role: config.nodes[name]?.role,
    size: droplet.size,
    publicIp: droplet.ipv4Address,
    privateIp: droplet.ipv4AddressPrivate,
    ...(member && { hostKey: member.hostKey, connection: member.connection }),
  }));
}

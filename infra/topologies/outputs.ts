import * as pulumi from "@pulumi/pulumi";
import type { Account } from "../account";
import type { Config } from "../config";
import { dollars, monthlyCost } from "../cost";
import type { Ingress } from "./ingress";
import type { Managed } from "./managed";
import type { Nodes } from "./nodes";

const NOT_SERVED = "not served: simulated machine";

/** What serving gave. */
export interface Served {
  readonly url: pulumi.Output<string>;
  /** Running images by service. */
  readonly images: Readonly<Record<string, pulumi.Output<string>>>;
}

export function notServed(): Served {
  void pulumi.log.info(NOT_SERVED);
  return { url: pulumi.output(NOT_SERVED), images: {} };
}

interface Stack {
  readonly nodes: Nodes;
  readonly ingress: Ingress;
  readonly managed?: Managed;
}

/** What operators and commands read. No secrets. */
export function outputs(
  config: Config,
  account: Account,
  { nodes, ingress, managed }: Stack,
  { url, images }: Served,
) {
  const [first] = Object.values(nodes);
  const { address, balancer } = ingress;
  const database = managed?.postgres?.server.cluster;
  return {
    url,
    address,
    nodes: Object.entries(nodes).map(([name, { droplet, member }]) => ({
      name,
      role: config.nodes[name]?.role,
      size: droplet.size,
      publicIp: droplet.ipv4Address,
      privateIp: droplet.ipv4AddressPrivate,
      ...(member && { hostKey: member.hostKey, connection: member.connection }),
    })),
    services: Object.fromEntries(
      Object.entries(config.services).map(([service, { replicas, routes, image }]) => [
        service,
        { image: images[service] ?? image ?? "", replicas, routes },
      ]),
    ),
    ...(balancer && { loadBalancer: { id: balancer.balancer.id, address } }),
    ...(database && { database: { privateHost: database.privateHost, port: database.port } }),
    monthlyCost: dollars(monthlyCost(config, account).after),
    ...(first?.member && { sshCommand: pulumi.interpolate`ssh root@${first.droplet.ipv4Address}` }),
  };
}

import * as pulumi from "@pulumi/pulumi";
import type { Node } from "../../components/node";
import type { Account } from "../account";
import type { Config } from "../config";
import { dollars, monthlyCost } from "../cost";

export const NOT_SERVED = "not served: simulated machine";

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

/** What operators and commands read. */
export function outputs(
  config: Config,
  account: Account,
  nodes: Readonly<Record<string, Node>>,
  address: pulumi.Output<string>,
  { url, images }: Served,
) {
  const [first] = Object.values(nodes);
  return {
    url,
    address,
    nodes: Object.entries(nodes).map(([name, { droplet, member }]) => ({
      name,
      role: config.nodes[name]?.role,
      size: config.nodes[name]?.size,
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
    monthlyCost: dollars(monthlyCost(config, account).after),
    ...(first?.member && { sshCommand: pulumi.interpolate`ssh root@${first.droplet.ipv4Address}` }),
  };
}

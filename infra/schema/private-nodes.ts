import { z } from "zod";
import { flag, integer, mapping } from "../fields";
import { sizeSlug } from "./patterns";

/** It passes SSH on and runs nothing else. */
const BASTION_SIZE = "s-1vcpu-512mb-10gb";

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/VPC-NAT-Gateways */
const MOST_NAT_SIZE = 200;

/** `privateNodes: true` is enough; whoever says more wants it, too. */
const enabled = (value: unknown) => (typeof value === "object" ? value : { enabled: value });

export const privateNodes = z
  .preprocess(
    enabled,
    mapping(
      {
        enabled: flag(
          "Whether nodes are private. `privateNodes: false` is the same as leaving all out.",
        ).default(true),
        bastionSize: sizeSlug(
          "Droplet size of the bastion, the one machine with a public address. A change replaces it, the new one first.",
        ).default(BASTION_SIZE),
        natGatewaySize: integer(
          1,
          MOST_NAT_SIZE,
          "Size of the VPC NAT gateway, by which nodes reach the world: 25 Mbit/s for each.",
        ).default(1),
      },
      "Nodes of `swarm` and `ha` without public addresses: requests come by the Load Balancer, SSH by a bastion, and nodes reach the world by a VPC NAT gateway. Cannot change while the stack has nodes. Default: nodes have public addresses, closed by a Firewall.",
    ),
  )
  .meta({ type: ["boolean", "object"] });

import { mapping, named, text } from "../fields";
import { managers, node, workers } from "./nodes";
import { NAME, NAME_RULE } from "./patterns";

export const secondSite = mapping(
  {
    region: text(
      /^[a-z]{2,4}[0-9]$/,
      "a DigitalOcean region slug such as ams3",
      "DigitalOcean region, another one than the stack's.",
    ),
    vpcCidr: text(
      /^\d+\.\d+\.\d+\.\d+\/\d+$/,
      "an IPv4 CIDR such as 10.96.0.0/20",
      "Range of its VPC, /16 to /28, apart from the stack's. Default: a /20 in 10.96.0.0/11 chosen by the stack's name. Cannot change later.",
    ).optional(),
    managers: managers.optional(),
    workers: workers.optional(),
    nodes: named(
      NAME,
      NAME_RULE,
      node,
      "What one node there does differently, by its name.",
    ).default({}),
  },
  "A second site of `ha`, in another region: a swarm of its own with the same services, a Load Balancer, and a copy of the database. A global Load Balancer sends requests to the first site, and to this one when that fails. Default: none.",
);

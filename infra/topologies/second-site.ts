import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "../account";
import type { Config } from "../config";
import { stackName } from "../names";
import { SECOND, secondSiteOf, type SiteView } from "../second-site";
import { type Ground, makeBastion, makeNetwork, type Place } from "./ground";
import { type Ingress, probeUrl } from "./ingress";
import { makeNodes } from "./nodes";
import type { Foundation } from "./serve";
import type { Site } from "./site";
import { startSwarm } from "./start-swarm";

/** The second site's ground, and the site. */
export interface SecondGround extends SiteView {
  readonly ground: Ground;
  readonly site: Site;
}

/** Everything that the second site's services stand on, but for what DigitalOcean runs. */
export type SecondStack = SecondGround & Pick<Foundation, "nodes" | "cluster">;

/** A network in the second region that the first one's is peered with. The keys are the first site's. */
export function laySecondGround(
  config: Config,
  account: Account,
  { network, access }: Ground,
  place: Place,
): SecondGround | undefined {
  const view = secondSiteOf(config, account);
  if (view === undefined) return undefined;
  // Names of its resources are those of the first site: its type tells their URNs apart.
  const parent = new pulumi.ComponentResource("archipelago:site:Site", SECOND);
  const secondNetwork = makeNetwork(view.config, place, { parent });
  const ground = {
    network: secondNetwork,
    bastion: makeBastion(view.config, secondNetwork, access, place, { parent }),
    access,
    volume: undefined,
  };
  const peering = new digitalocean.VpcPeering(
    "peering",
    { name: stackName(view.config.stack), vpcIds: [network.vpcId, ground.network.vpcId] },
    { parent },
  );
  // Droplets learn the way to a peered VPC when they are made.
  return { ...view, ground, site: { parent, beforeNodes: [peering], beforeServices: [] } };
}

/** Its nodes, in a swarm of their own. */
export function raiseSecond(second: SecondGround): SecondStack {
  const { config, account, ground, site } = second;
  const nodes = makeNodes(config, account, ground, site);
  return { ...second, nodes, cluster: startSwarm(config, ground, nodes, site) };
}

/** How the second site is asked whether its app is well: by its own Load Balancer, not the global one. */
export function secondIngress(second: SecondGround, first: Ingress): Omit<Ingress, "lead"> {
  const { secondBalancer: balancer } = first;
  if (balancer === undefined) throw new Error("a second site has a Load Balancer");
  return {
    address: balancer.address,
    url: first.url,
    probe: probeUrl(second.config, balancer.address),
    balancer,
    secondBalancer: undefined,
    ready: [balancer.balancer, balancer.firewall],
    urns: [],
  };
}

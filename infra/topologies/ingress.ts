import * as pulumi from "@pulumi/pulumi";
import { Dns } from "../../components/dns";
import { FloatingIp } from "../../components/floating-ip";
import { GlobalLoadBalancer } from "../../components/global-load-balancer";
import { LoadBalancer, type LoadBalancerArgs } from "../../components/load-balancer";
import type { Account } from "../account";
import type { Config } from "../config";
import { firstNode } from "../fleet";
import { stackName } from "../names";
import { edgeRoutes, routeHosts } from "../routes";
import type { Ground } from "./ground";
import type { Nodes } from "./nodes";
import type { SecondGround } from "./second-site";
import { inSite } from "./site";

/** The way in. */
export interface Ingress {
  /** Public IPv4 address of the app. */
  readonly address: pulumi.Output<string>;
  /** Where the app is. */
  readonly url: pulumi.Output<string>;
  /** What is asked before `up` ends; absent when every route wants a name. */
  readonly probe: pulumi.Output<string> | undefined;
  readonly balancer: LoadBalancer | undefined;
  /** Of a second site. */
  readonly secondBalancer: LoadBalancer | undefined;
  /** What must be there before the address can answer. */
  readonly ready: readonly pulumi.Resource[];
  /** Has the stack's names lead here. @param served what must be well before they change from another way in. */
  readonly lead: (served: readonly pulumi.Resource[]) => void;
  /** DigitalOcean URNs, for the Project. */
  readonly urns: readonly pulumi.Output<string>[];
}

export function makeIngress(
  config: Config,
  account: Account,
  ground: Ground,
  nodes: Nodes,
  second: SecondGround | undefined,
): Ingress {
  const dns = makeDns(config);
  const zone = dns?.domain ? [dns.domain.domainUrn] : [];
  const balanced = config.ingress === "load-balancer";
  const floatingIp =
    balanced && account.fleet.reservedIp === undefined ? undefined : makeFloatingIp(config, nodes);
  const kept = floatingIp?.ipUrn ? [floatingIp.ipUrn] : [];
  const balancer = balanced ? makeBalancer(config, ground, dns) : undefined;
  const secondBalancer = balancer && second && makeSecondBalancer(second, balancer);
  const global =
    secondBalancer && second && makeGlobal(config, balancer, { ...second, secondBalancer });
  const address = global?.address ?? balancer?.address ?? floatingIp?.address;
  if (address === undefined) throw new Error("the way in has an address");
  const moves = balanced || account.fleet.balancerNodes > 0;
  return {
    address,
    url: appUrl(config, address),
    // The first site is asked by its own: what the global one serves by its address alone is not promised.
    probe: probeUrl(config, balancer?.address ?? address),
    balancer,
    secondBalancer,
    ready: balancer
      ? [balancer.balancer, balancer.firewall]
      : floatingIp
        ? [floatingIp.assignment]
        : [],
    // The first certificate of an edge is proved by the name: it must not wait for the app.
    lead: (served) => dns?.lead(dnsNames(config), address, moves ? served : []),
    urns: [
      ...zone,
      ...kept,
      ...[balancer, secondBalancer, global].flatMap((each) => each?.balancer.loadBalancerUrn ?? []),
    ],
  };
}

/** With a Load Balancer it is kept where there is one already: it is the way back, and free while it is assigned. */
function makeFloatingIp(config: Config, nodes: Nodes): FloatingIp {
  const node = nodes[firstNode(config)];
  if (node === undefined) throw new Error("a stack has a node");
  return new FloatingIp("address", {
    region: config.region,
    dropletId: node.droplet.id.apply(Number),
    existing: config.floatingIp.existing,
    protect: config.protect,
    after: node.attachment ? [node.attachment] : [],
  });
}

function makeBalancer(config: Config, ground: Ground, dns: Dns | undefined): LoadBalancer {
  return new LoadBalancer("front", {
    ...balancerArgs(config, ground),
    https: dns && { names: dnsNames(config), after: dns.domain ? [dns.domain] : [] },
  });
}

/** What the Load Balancers of all sites have in common. */
function balancerArgs(
  { stack, region, protect, loadBalancer }: Config,
  { network }: Ground,
): LoadBalancerArgs {
  const tag = network.roleTags.ingress;
  if (tag === undefined) throw new Error("the network has a tag for the nodes that take requests");
  return {
    name: stackName(stack),
    region,
    vpcId: network.vpcId,
    tag,
    nodes: loadBalancer.nodes,
    stickyCookie: loadBalancer.stickyCookie,
    idleTimeoutSeconds: loadBalancer.idleTimeoutSeconds,
    protect,
  };
}

/** With the first one's certificate. */
function makeSecondBalancer(
  { config, ground, site }: SecondGround,
  { certificateName }: LoadBalancer,
): LoadBalancer {
  const args = { ...balancerArgs(config, ground), certificateName };
  return new LoadBalancer("front", args, inSite(site));
}

/** The second site is there for when the first one fails: the database that is written to is in the first. */
function makeGlobal(
  config: Config,
  balancer: LoadBalancer,
  second: SecondGround & { readonly secondBalancer: LoadBalancer },
): GlobalLoadBalancer {
  return new GlobalLoadBalancer("global", {
    name: `${stackName(config.stack)}-global`,
    sites: [
      { region: config.region, front: balancer },
      { region: second.config.region, front: second.secondBalancer },
    ],
    names: dnsNames(config),
    protect: config.protect,
  });
}

function makeDns({ domain, protect }: Config): Dns | undefined {
  if (domain === undefined || domain.dns === "none") return undefined;
  return new Dns("dns", {
    zone: domain.zone ?? domain.name,
    createZone: domain.dns === "create",
    ttlSeconds: domain.ttlSeconds,
    protect,
  });
}

/** Names in the stack's zone that lead to the app. */
function dnsNames({ domain, ...config }: Config): string[] {
  if (domain === undefined) return [];
  const zone = domain.zone ?? domain.name;
  const names = new Set([domain.name, ...routeHosts(config)]);
  return [...names].filter((name) => name === zone || name.endsWith(`.${zone}`));
}

function appUrl({ domain }: Config, address: pulumi.Output<string>): pulumi.Output<string> {
  return domain === undefined
    ? pulumi.interpolate`http://${address}/`
    : pulumi.output(`https://${domain.name}/`);
}

/** By address and plain HTTP: with a domain, DNS and certificate may take longer than an `up`. */
export function probeUrl(config: Config, address: pulumi.Output<string>) {
  const [route] = edgeRoutes(config).filter(({ hosts }) => hosts === undefined);
  return route && pulumi.interpolate`http://${address}${route.paths?.[0] ?? "/"}`;
}

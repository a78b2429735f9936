import * as digitalocean from "@pulumi/digitalocean";
import { found } from "./account-lookup";
import type { Config } from "./config";
import { cacheName, databaseName, registryName, stackName } from "./names";

/** What DigitalOcean says of what only stacks of several nodes, managed databases and registries ask for. */
export interface FleetAccount {
  /** Droplets that the account may have at once, and how many of them are not this stack's. */
  readonly droplets: { readonly limit: number; readonly others: number } | undefined;
  /** Of the account, or its team. */
  readonly email: string;
  /** Of this stack's Load Balancer; 0 = there is none. */
  readonly balancerNodes: number;
  readonly database: ExistingDatabase | undefined;
  readonly cache: ExistingDatabase | undefined;
  /** Subscription of the registry, if it exists. */
  readonly registryTier: string | undefined;
  /** The stack's Reserved IP, as its Project knows it. */
  readonly reservedIp: string | undefined;
  /** Whether the stack has a bucket, as its Project knows. */
  readonly hasBucket: boolean;
}

export interface ExistingDatabase {
  readonly engine: string;
  readonly region: string;
  readonly version: string;
  readonly size: string;
  readonly nodes: number;
}

/** Where one Droplet is all there is. */
export const NO_FLEET: FleetAccount = {
  droplets: undefined,
  email: "",
  balancerNodes: 0,
  database: undefined,
  cache: undefined,
  registryTier: undefined,
  reservedIp: undefined,
  hasBucket: false,
};

/** @param own how many Droplets the stack has. */
export async function readFleetAccount(
  config: Config,
  own: Promise<number>,
): Promise<FleetAccount> {
  const { stack, registry } = config;
  const [account, droplets, balancer, database, cache, tier, project] = await Promise.all([
    digitalocean.getAccount(),
    digitalocean.getDroplets(),
    balancerNodes(config),
    existingDatabase(databaseName(stack)),
    existingDatabase(cacheName(stack)),
    registry.kind === "digitalocean" ? registryTier(registryName(stack, registry.name)) : undefined,
    found(digitalocean.getProject({ name: stackName(stack) })),
  ]);
  return {
    droplets: { limit: account.dropletLimit, others: droplets.droplets.length - (await own) },
    email: account.email,
    balancerNodes: balancer,
    database,
    cache,
    registryTier: tier,
    reservedIp: project && reservedIpOf(project.resources),
    hasBucket: project?.resources.some((urn) => urn.startsWith("do:space:")) ?? false,
  };
}

/** Machines of the stack's Load Balancer; 0 = there is none. */
export async function balancerNodes({ stack }: Pick<Config, "stack">): Promise<number> {
  const balancer = await found(digitalocean.getLoadBalancer({ name: stackName(stack) }));
  return balancer?.sizeUnit ?? 0;
}

async function existingDatabase(name: string): Promise<ExistingDatabase | undefined> {
  const cluster = await found(digitalocean.getDatabaseCluster({ name }));
  if (cluster === undefined) return undefined;
  const { engine, region, version, size, nodeCount } = cluster;
  return { engine, region, version, size, nodes: nodeCount };
}

async function registryTier(name: string): Promise<string | undefined> {
  return (await found(digitalocean.getContainerRegistry({ name })))?.subscriptionTierSlug;
}

/** Reserved IPs have no names; a Project shows them as `do:reservedip:<address>`, once `do:floatingip:<address>`. */
export function reservedIpOf(urns: readonly string[]): string | undefined {
  const addresses = urns.flatMap(
    (urn) => /^do:(?:reservedip|floatingip):(.+)$/.exec(urn)?.[1] ?? [],
  );
  return addresses[0];
}

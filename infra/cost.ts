import { hasManaged } from "./databases";
import type { Account } from "./account";
import type { Config } from "./config";
import { machinesOf } from "./fleet";
import { monthlyPriceOf, PRICES } from "./prices";
import { secondSiteOf } from "./second-site";
import { keepsVolume } from "./volume-use";

/** What a stack costs in a month, in USD, before taxes, traffic beyond the allowance and backups. */
export interface MonthlyCost {
  readonly now: number;
  readonly after: number;
  /** What `after` is made of. */
  readonly parts: readonly Part[];
}

interface Part {
  readonly name: string;
  readonly price: number;
}

/** A Reserved IP costs nothing while it is assigned; VPC, Firewall, DNS and Project cost nothing at all. */
export function monthlyCost(config: Config, account: Account): MonthlyCost {
  const parts = [
    ...dropletParts(config, account),
    ...volumePart(config, account),
    ...balancerPart(config),
    ...natGatewayPart(config),
    ...secondSiteParts(config, account),
    ...databaseParts(config),
    ...registryPart(config),
    ...filesPart(config),
  ];
  return { now: costNow(config, account), after: sum(parts), parts };
}

/** @returns e.g. `Monthly cost: $24.00 now → $49.00 after (manager-1 s-4vcpu-8gb $48.00, Volume 10 GiB $1.00)`. */
export function describeCost({ now, after, parts }: MonthlyCost): string {
  const detail = parts.map(({ name, price }) => `${name} ${dollars(price)}`).join(", ");
  return `Monthly cost: ${dollars(now)} now → ${dollars(after)} after (${detail})`;
}

export const dollars = (amount: number) => `$${amount.toFixed(2)}`;

/** One part for all nodes of a size: `3 × s-2vcpu-4gb`, or `manager-1 s-2vcpu-4gb` for a lone one. */
function dropletParts(config: Config, { sizes }: Account): Part[] {
  const bySize = new Map<string, string[]>();
  for (const [name, { size }] of Object.entries(machinesOf(config))) {
    bySize.set(size, [...(bySize.get(size) ?? []), name]);
  }
  return [...bySize].map(([size, names]) => {
    const each = sizes.find(({ slug }) => slug === size)?.priceMonthly ?? 0;
    const name = names.length === 1 ? `${names[0]} ${size}` : `${names.length} × ${size}`;
    return { name, price: each * names.length };
  });
}

function volumePart(config: Config, account: Account): Part[] {
  if (!keepsVolume(config, account)) return [];
  const { volumeGib } = config.database;
  return [{ name: `Volume ${volumeGib} GiB`, price: volumeGib * PRICES.volumeGib }];
}

function balancerPart({ ingress, loadBalancer: { nodes } }: Config): Part[] {
  if (ingress !== "load-balancer") return [];
  const name = nodes === 1 ? "Load Balancer" : `Load Balancer of ${nodes} nodes`;
  return [{ name, price: nodes * PRICES.balancerNode }];
}

function natGatewayPart({ privateNodes }: Pick<Config, "privateNodes">): Part[] {
  if (!privateNodes.enabled) return [];
  return [{ name: "NAT gateway", price: privateNodes.natGatewaySize * PRICES.natGatewaySize }];
}

function databaseParts({ database, cache }: Config): Part[] {
  const parts: Part[] = [];
  if (hasManaged(database)) {
    const { size, nodes, replicas } = database;
    parts.push({ name: `PostgreSQL ${nodes} × ${size}`, price: monthlyPriceOf(size, nodes) });
    if (replicas > 0) {
      parts.push({ name: `${replicas} × replica`, price: replicas * monthlyPriceOf(size, 1) });
    }
  }
  if (cache.engine === "managed") {
    const { size, nodes } = cache;
    parts.push({ name: `Valkey ${nodes} × ${size}`, price: monthlyPriceOf(size, nodes) });
  }
  return parts;
}

function secondSiteParts(config: Config, account: Account): Part[] {
  const second = secondSiteOf(config, account);
  if (second === undefined) return [];
  const { region } = second.config;
  return [
    ...[
      ...dropletParts(second.config, second.account),
      ...balancerPart(second.config),
      ...natGatewayPart(second.config),
    ].map(({ name, price }) => ({ name: `${name} in ${region}`, price })),
    ...copyPart(config, region),
    { name: "Global Load Balancer", price: PRICES.globalBalancer },
  ];
}

function copyPart({ database }: Config, region: string): Part[] {
  if (!hasManaged(database)) return [];
  return [{ name: `replica in ${region}`, price: monthlyPriceOf(database.size, 1) }];
}

function registryPart({ registry: { kind, tier } }: Config): Part[] {
  if (kind !== "digitalocean") return [];
  return [{ name: `registry ${tier}`, price: PRICES.registry[tier] }];
}

function filesPart({ files, backup }: Config): Part[] {
  return files.enabled || backup ? [{ name: "Spaces", price: PRICES.spaces }] : [];
}

/** What the account has now. Of read-only copies it says nothing: as many as are wanted are taken for granted. */
function costNow(config: Config, { droplets, volume, fleet, second }: Account): number {
  const { database } = config;
  const replicas = hasManaged(database) ? database.replicas : 0;
  const tier = fleet.registryTier as keyof typeof PRICES.registry | undefined;
  return sum([
    ...droplets.map(({ name, priceMonthly }) => ({ name, price: priceMonthly })),
    ...(second?.fleet.balancerNodes ? secondSiteNow(config, second) : []),
    // It is there as soon as a Droplet is.
    ...(droplets.length > 0 ? natGatewayPart(config) : []),
    { name: "Volume", price: (volume?.sizeGib ?? 0) * PRICES.volumeGib },
    { name: "Load Balancer", price: fleet.balancerNodes * PRICES.balancerNode },
    ...[fleet.database, fleet.cache].map((one) => ({
      name: "database",
      price: one === undefined ? 0 : monthlyPriceOf(one.size, one.nodes),
    })),
    {
      name: "replicas",
      price: fleet.database === undefined ? 0 : replicas * monthlyPriceOf(fleet.database.size, 1),
    },
    { name: "Spaces", price: fleet.hasBucket ? PRICES.spaces : 0 },
    { name: "registry", price: tier === undefined ? 0 : PRICES.registry[tier] },
  ]);
}

/** It is all there once its Load Balancer is, but for Droplets that are still to come. */
function secondSiteNow(config: Config, { droplets, fleet }: Account): Part[] {
  return [
    ...droplets.map(({ name, priceMonthly }) => ({ name, price: priceMonthly })),
    ...natGatewayPart(config),
    { name: "Load Balancer", price: fleet.balancerNodes * PRICES.balancerNode },
    ...copyPart(config, config.secondSite?.region ?? ""),
    { name: "Global Load Balancer", price: PRICES.globalBalancer },
  ];
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((total, { price }) => total + price, 0);
}

import type { Account } from "./account";
import type { Config } from "./config";

/** USD per GiB and month. The API has no price for Volumes. https://www.digitalocean.com/pricing/volumes */
const VOLUME_GIB_PRICE = 0.1;

/** USD per Load Balancer node and month. https://www.digitalocean.com/pricing/load-balancers */
const LOAD_BALANCER_PRICE = 12;

/** What a stack costs in a month, in USD, before taxes, traffic beyond the allowance and backups. */
export interface MonthlyCost {
  readonly now: number;
  readonly after: number;
  /** What `after` is made of. */
  readonly parts: readonly { readonly name: string; readonly price: number }[];
}

/** A Reserved IP costs nothing while it is assigned; VPC, Firewall, DNS and Project cost nothing at all. */
export function monthlyCost(config: Config, account: Account): MonthlyCost {
  const droplets = Object.entries(config.nodes).map(([node, { size }]) => ({
    name: `${node} ${size}`,
    price: account.sizes.find(({ slug }) => slug === size)?.priceMonthly ?? 0,
  }));
  const { volumeGib } = config.database;
  const volume = { name: `Volume ${volumeGib} GiB`, price: volumeGib * VOLUME_GIB_PRICE };
  const balancer = { name: "Load Balancer", price: LOAD_BALANCER_PRICE };
  const parts = [...droplets, volume, ...(config.topology === "swarm" ? [balancer] : [])];
  return {
    now: sum([
      ...account.droplets.map(({ priceMonthly }) => priceMonthly),
      (account.volume?.sizeGib ?? 0) * VOLUME_GIB_PRICE,
      account.loadBalancers * LOAD_BALANCER_PRICE,
    ]),
    after: sum(parts.map(({ price }) => price)),
    parts,
  };
}

/** @returns e.g. `Monthly cost: $24.00 now → $49.00 after (manager-1 s-4vcpu-8gb $48.00, Volume 10 GiB $1.00)`. */
export function describeCost({ now, after, parts }: MonthlyCost): string {
  const detail = parts.map(({ name, price }) => `${name} ${dollars(price)}`).join(", ");
  return `Monthly cost: ${dollars(now)} now → ${dollars(after)} after (${detail})`;
}

export const dollars = (amount: number) => `$${amount.toFixed(2)}`;

function sum(prices: readonly number[]): number {
  return prices.reduce((total, price) => total + price, 0);
}

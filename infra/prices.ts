import { memoryGib } from "./plans";

/**
 * USD a month of what the API has no price for. As of 2026; what a bill says counts.
 * https://www.digitalocean.com/pricing
 *
 * Those of the global Load Balancer and of the NAT gateway are from memory: no page that could be read here names them.
 */
export const PRICES = {
  volumeGib: 0.1,
  globalBalancer: 15,
  balancerNode: 12,
  /** Of each size unit, with 100 GiB of traffic. */
  natGatewaySize: 40,
  /** Of the account, with 250 GiB. */
  spaces: 5,
  registry: { starter: 0, basic: 5, professional: 20 },
} as const;

/** Of database plans with shared CPU, for each GiB of memory; dedicated ones cost more. */
const PRIMARY_GIB = 15;
const STANDBY_GIB = 10;

/** @returns about what a database cluster costs a month. */
export function monthlyPriceOf(size: string, nodes: number): number {
  return memoryGib(size) * (PRIMARY_GIB + (nodes - 1) * STANDBY_GIB);
}

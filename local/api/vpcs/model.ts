import { randomUUID } from "node:crypto";
import { contains, formatAddress, overlaps, parseCidr } from "../addresses";
import { timestamp, type Context } from "../context";
import { unprocessable } from "../errors";
import type { Store } from "../store";
import type { VpcSpec } from "../../machines/machines";

export interface VpcRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Slug. */
  readonly region: string;
  /** IPv4 CIDR. */
  readonly ipRange: string;
  /** The region's default, taken by Droplets that name no VPC. */
  readonly isDefault: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The private address given last. */
  readonly lastAddress: string | undefined;
  /** Being removed: nothing new may join, and nobody sees it any more. */
  readonly deleting: boolean;
}

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** DigitalOcean keeps these for itself; https://docs.digitalocean.com/products/networking/vpc/details/limits/ */
const reservedRanges = ["10.244.0.0/16", "10.245.0.0/16", "10.246.0.0/24", "10.229.0.0/16"];

const range = (cidr: string) => {
  const parsed = parseCidr(cidr);
  if (!parsed) throw new Error(`${cidr} is no CIDR`);
  return parsed;
};

/**
 * Checks a VPC's address range: RFC 1918, /16 to /28, not reserved, not overlapping another VPC.
 *
 * @returns the CIDR with its host bits cleared.
 * @throws {ApiError} 422.
 */
export function checkRange(store: Store, cidr: string): string {
  const wanted = parseCidr(cidr);
  if (!wanted) throw unprocessable(`ip_range: ${cidr} is not a valid CIDR`);
  if (wanted.prefix < 16 || wanted.prefix > 28)
    throw unprocessable("ip_range: The size of the VPC must be between /16 and /28");
  if (!privateRanges.some((each) => contains(range(each), wanted)))
    throw unprocessable("ip_range: The range must be within a private (RFC 1918) network");
  if (reservedRanges.some((each) => overlaps(range(each), wanted)))
    throw unprocessable("ip_range: This range/size is reserved. Please choose another range/size.");
  if (store.vpcs.find((vpc) => overlaps(range(vpc.ipRange), wanted)))
    throw unprocessable(
      "This range/size overlaps with another VPC network in your account. Please choose another range/size.",
    );
  return `${formatAddress(wanted.first)}/${wanted.prefix}`;
}

/** A /20 that nothing uses, as DigitalOcean chooses one for a VPC made without a range. */
function freeRange(store: Store): string {
  const taken = store.vpcs.all().map((vpc) => range(vpc.ipRange));
  for (let second = 100; second < 229; second++) {
    const candidate = `10.${second}.0.0/20`;
    if (!taken.some((each) => overlaps(each, range(candidate)))) return candidate;
  }
  throw unprocessable("No free range is left for another VPC");
}

/** Writes a new VPC down; call inside a transaction. */
export function addVpc(
  { store, now }: Context,
  input: { name: string; region: string; description?: string; ipRange?: string },
  isDefault = false,
): VpcRecord {
  const vpc: VpcRecord = {
    id: randomUUID(),
    name: input.name,
    description: input.description ?? "",
    region: input.region,
    ipRange: input.ipRange ? checkRange(store, input.ipRange) : freeRange(store),
    isDefault,
    createdAt: now().toISOString(),
    lastAddress: undefined,
    deleting: false,
  };
  store.vpcs.put(vpc.id, vpc);
  return vpc;
}

/** The VPC of a Droplet that names none: every account has one per region, here made when first needed. Call inside a transaction. */
export function defaultVpc(context: Context, region: string): VpcRecord {
  return (
    context.store.vpcs.find((vpc) => vpc.region === region && vpc.isDefault && !vpc.deleting) ??
    addVpc(context, { name: `default-${region}`, region }, true)
  );
}

export function findVpc(store: Store, id: string): VpcRecord | undefined {
  const vpc = store.vpcs.get(id);
  return vpc?.deleting ? undefined : vpc;
}

export const vpcSpec = ({ id, name, ipRange }: VpcRecord): VpcSpec => ({ id, name, ipRange });

export const vpcView = (vpc: VpcRecord) => ({
  id: vpc.id,
  urn: `do:vpc:${vpc.id}`,
  name: vpc.name,
  description: vpc.description,
  region: vpc.region,
  ip_range: vpc.ipRange,
  default: vpc.isDefault,
  created_at: timestamp(new Date(vpc.createdAt)),
});

import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { balancerNodes, type FleetAccount, NO_FLEET, readFleetAccount } from "./account-fleet";
import { found } from "./account-lookup";
import type { Config } from "./config";
import { machinesOf } from "./fleet";
import { roleTag, stackTag, volumeName } from "./names";
import { secondSiteConfig } from "./second-site";

/** A Droplet of this stack as it is now. */
export type ExistingDroplet = Pick<
  digitalocean.types.output.GetDropletsDroplet,
  | "id"
  | "name"
  | "size"
  | "image"
  | "region"
  | "disk"
  | "ipv4Address"
  | "ipv4AddressPrivate"
  | "priceMonthly"
>;

export type Size = Pick<
  digitalocean.types.output.GetSizesSize,
  "slug" | "available" | "regions" | "priceMonthly" | "memory" | "vcpus" | "disk"
>;

/** What DigitalOcean says of its catalogue and of what this stack already has. Only read, never changed. */
export interface Account {
  readonly sizes: readonly Size[];
  readonly regions: readonly Pick<
    digitalocean.types.output.GetRegionsRegion,
    "slug" | "available" | "features"
  >[];
  /** The configured image; absent when there is none of that slug. */
  readonly image:
    { readonly distribution: string; readonly regions: readonly string[] } | undefined;
  /** Image slugs to suggest; looked up only when the configured image does not exist. */
  readonly imageSlugs: readonly string[];
  readonly droplets: readonly ExistingDroplet[];
  readonly fleet: FleetAccount;
  /** The stack's Volume, if it exists. */
  readonly volume: { readonly sizeGib: number; readonly dropletIds: readonly number[] } | undefined;
  readonly sshKeys: readonly {
    readonly name: string;
    readonly fingerprint: string;
    readonly publicKey: string;
  }[];
  /** `floatingIp.existing`, if it exists. Droplet 0 means unassigned. */
  readonly reservedIp: { readonly region: string; readonly dropletId: number } | undefined;
  /** Whether the zone of `domain.dns: existing` exists. */
  readonly zone: boolean;
  /** The same of the second site, if the stack is to have one. */
  readonly second?: Account | undefined;
}

/**
 * Asks DigitalOcean, all at once.
 *
 * @throws {pulumi.RunError} when the API does not answer or refuses the token.
 */
export async function readAccount(config: Config): Promise<Account> {
  try {
    const mine = digitalocean.getDroplets({
      filters: [
        { key: "tags", values: [stackTag(config.stack), roleTag(config.stack, "bastion")] },
      ],
    });
    const secondSite = secondSiteConfig(config);
    const [sizes, regions, image, droplets, volume, keys, reservedIp, zone, fleet, second] =
      await Promise.all([
        wantedSizes(config),
        wantedRegions(config),
        found(digitalocean.getImage({ slug: config.image })),
        mine,
        found(digitalocean.getVolume({ name: volumeName(config.stack), region: config.region })),
        digitalocean.getSshKeys(),
        existingReservedIp(config),
        existingZone(config),
        fleetOf(
          config,
          mine.then((found) => found.droplets.length),
        ),
        secondSite && readAccount(secondSite),
      ]);
    return {
      sizes: sizes.sizes,
      regions: regions.regions,
      image,
      imageSlugs: image === undefined ? await slugs() : [],
      droplets: droplets.droplets,
      fleet,
      volume: volume && { sizeGib: volume.size, dropletIds: volume.dropletIds },
      sshKeys: keys.sshKeys,
      reservedIp,
      zone,
      second,
    };
  } catch (error) {
    if (error instanceof pulumi.RunError) throw error;
    throw new pulumi.RunError(describeFailure(error));
  }
}

/**
 * The sizes that the stack names; all of them when one cannot be had, so that the fault can name others. The
 * whole catalogue takes the engine most of a second to hand over.
 */
async function wantedSizes(config: Config) {
  const wanted = new Set(Object.values(machinesOf(config)).map(({ size }) => size));
  const filters = [{ key: "slug", values: [...wanted] }];
  const { sizes } = await digitalocean.getSizes({ filters });
  const usable = sizes.filter(
    ({ available, regions }) => available && regions.includes(config.region),
  );
  return usable.length === wanted.size ? { sizes } : digitalocean.getSizes();
}

/** The stack's region, or all of them when it takes no Droplets. */
async function wantedRegions({ region }: Config) {
  const filters = [{ key: "slug", values: [region] }];
  const { regions } = await digitalocean.getRegions({ filters });
  return regions.some(({ available }) => available) ? { regions } : digitalocean.getRegions();
}

async function slugs(): Promise<string[]> {
  const { images } = await digitalocean.getImages();
  return images.flatMap(({ slug }) => (slug ? [slug] : []));
}

async function existingReservedIp({ floatingIp }: Config) {
  if (floatingIp.existing === undefined) return undefined;
  return found(digitalocean.getReservedIp({ ipAddress: floatingIp.existing }));
}

/** Asked where it matters, because every look-up takes time: a lone Droplet and what it has by default need none. */
async function fleetOf(config: Config, droplets: Promise<number>): Promise<FleetAccount> {
  const { topology, database, cache, registry, files } = config;
  const plain =
    topology === "single-node" &&
    [database.engine, cache.engine].every((engine) => engine !== "managed") &&
    registry.kind !== "digitalocean" &&
    !files.enabled;
  if (plain && (await droplets) <= 1) {
    // Names that lead to a Load Balancer leave it slowly.
    if (config.domain === undefined) return NO_FLEET;
    return { ...NO_FLEET, balancerNodes: await balancerNodes(config) };
  }
  return readFleetAccount(config, droplets);
}

async function existingZone({ domain }: Config): Promise<boolean> {
  if (domain?.dns !== "existing") return false;
  const name = domain.zone ?? domain.name;
  return (await found(digitalocean.getDomain({ name }))) !== undefined;
}

function describeFailure(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  if (/\b401\b|unable to authenticate/i.test(reason)) {
    return "DigitalOcean refused the token in DIGITALOCEAN_TOKEN; nothing was changed. Make one with read and write scope at https://cloud.digitalocean.com/account/api/tokens";
  }
  return `DigitalOcean's API could not be asked; nothing was changed. Try again. It said: ${reason}`;
}

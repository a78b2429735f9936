/** https://docs.digitalocean.com/products/container-registry/details/pricing/ */
export const tierSlugs = ["starter", "basic", "professional"] as const;
export type TierSlug = (typeof tierSlugs)[number];

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

const tier = (fields: {
  readonly name: string;
  /** 0 = as many as one likes. */
  readonly repositories: number;
  readonly bytes: number;
  readonly overage: boolean;
  readonly cents: number;
}) => ({
  name: fields.name,
  slug: fields.name.toLowerCase(),
  included_repositories: fields.repositories,
  included_storage_bytes: fields.bytes,
  allow_storage_overage: fields.overage,
  included_bandwidth_bytes: fields.bytes,
  monthly_price_in_cents: fields.cents,
  storage_overage_price_in_cents: fields.overage ? 2 : 0,
});

export const tiers = {
  starter: tier({
    name: "Starter",
    repositories: 1,
    bytes: 500 * mebibyte,
    overage: false,
    cents: 0,
  }),
  basic: tier({ name: "Basic", repositories: 5, bytes: 5 * gibibyte, overage: true, cents: 500 }),
  professional: tier({
    name: "Professional",
    repositories: 0,
    bytes: 100 * gibibyte,
    overage: true,
    cents: 2000,
  }),
} as const;

/** Whether as many repositories may be in a registry of that tier. */
export const allowsRepositories = (slug: TierSlug, count: number): boolean =>
  tiers[slug].included_repositories === 0 || count <= tiers[slug].included_repositories;

/** https://docs.digitalocean.com/products/container-registry/details/availability/ */
export const registryRegions = ["nyc3", "sfo3", "sfo2", "ams3", "sgp1", "fra1", "blr1", "syd1"];

import { sizes } from "./sizes";

/** A region as the API shows it. */
export interface RegionView {
  readonly name: string;
  readonly slug: string;
  readonly features: readonly string[];
  readonly available: boolean;
  readonly sizes: readonly string[];
}

const features = ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"];

/** Slug, name; https://docs.digitalocean.com/platform/regional-availability/ */
const open: readonly (readonly [string, string])[] = [
  ["nyc1", "New York 1"],
  ["sgp1", "Singapore 1"],
  ["lon1", "London 1"],
  ["nyc3", "New York 3"],
  ["ams3", "Amsterdam 3"],
  ["fra1", "Frankfurt 1"],
  ["tor1", "Toronto 1"],
  ["blr1", "Bangalore 1"],
  ["sfo2", "San Francisco 2"],
  ["sfo3", "San Francisco 3"],
  ["syd1", "Sydney 1"],
];

/** Regions that DigitalOcean still lists and in which nothing new can be made. */
const closed: readonly (readonly [string, string])[] = [
  ["sfo1", "San Francisco 1"],
  ["ams2", "Amsterdam 2"],
];

export const openRegionSlugs: readonly string[] = open.map(([slug]) => slug);

export const regions: readonly RegionView[] = [
  ...open.map(([slug, name]) => ({
    name,
    slug,
    features,
    available: true,
    sizes: sizes.map((size) => size.slug),
  })),
  ...closed.map(([slug, name]) => ({ name, slug, features, available: false, sizes: [] })),
];

const bySlug = new Map(regions.map((region) => [region.slug, region]));

export const findRegion = (slug: string): RegionView | undefined => bySlug.get(slug);

/** The region of something that exists. */
export function regionView(slug: string): RegionView {
  const region = bySlug.get(slug);
  if (!region) throw new Error(`the state names an unknown region: ${slug}`);
  return region;
}

import { text, type Values } from "../../framework/values";
import { lister, single, type Invoke } from "./lookup";

interface ApiImage {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly distribution: string;
  readonly slug: string | null;
  readonly public: boolean;
  readonly regions: readonly string[];
  readonly min_disk_size: number | null;
  readonly size_gigabytes: number | null;
  readonly created_at: string;
  readonly description?: string | null;
  readonly tags?: readonly string[] | null;
  readonly status: string;
  readonly error_message?: string | null;
}

const size = (one: Values): Values => ({
  slug: one.slug,
  available: one.available,
  transfer: one.transfer,
  priceMonthly: one.price_monthly,
  priceHourly: one.price_hourly,
  memory: one.memory,
  vcpus: one.vcpus,
  disk: one.disk,
  regions: one.regions,
  gpuInfos: [],
});

const region = (one: Values): Values => ({
  slug: one.slug,
  name: one.name,
  available: one.available,
  sizes: one.sizes,
  features: one.features,
});

const image = (one: ApiImage): Values => ({
  id: one.id,
  slug: one.slug ?? "",
  image: one.slug ?? String(one.id),
  name: one.name,
  type: one.type,
  distribution: one.distribution,
  private: !one.public,
  regions: one.regions,
  minDiskSize: one.min_disk_size ?? 0,
  sizeGigabytes: one.size_gigabytes ?? 0,
  created: one.created_at,
  description: one.description ?? "",
  tags: one.tags ?? [],
  status: one.status,
  errorMessage: one.error_message ?? "",
});

const IMAGE_SOURCES: Readonly<Record<string, string>> = {
  all: "/images",
  distributions: "/images?type=distribution",
  applications: "/images?type=application",
  user: "/images?private=true",
};

export const getImage: Invoke = async (client, args) => {
  const reference = args.id ?? args.slug;
  if (reference !== undefined) {
    const { image: found } = await client.get<{ image: ApiImage }>(`/images/${text(reference)}`);
    return { ...image(found), source: "user" };
  }
  if (args.name === undefined) {
    throw new Error("one of `id`, `name` or `slug` must be specified");
  }
  const source = text(args.source).toLowerCase() || "user";
  const path = IMAGE_SOURCES[source];
  if (!path) {
    throw new Error(
      `source must be one of ${Object.keys(IMAGE_SOURCES).join(", ")}, got ${source}`,
    );
  }
  const found = await client.all<ApiImage>(path, "images");
  const named = found.filter(({ name }) => name === args.name);
  return { ...image(single(named, `image with name ${text(args.name)}`)), source };
};

const SIZE_KEYS = [
  "slug",
  "regions",
  "memory",
  "vcpus",
  "disk",
  "transfer",
  "priceMonthly",
  "priceHourly",
  "available",
];
const REGION_KEYS = ["slug", "name", "available", "features", "sizes"];
const IMAGE_KEYS = [
  "id",
  "name",
  "type",
  "distribution",
  "slug",
  "image",
  "private",
  "minDiskSize",
  "sizeGigabytes",
  "description",
  "status",
  "errorMessage",
  "regions",
  "tags",
  "created",
];
export const getSizes = lister("sizes", "/sizes", "sizes", SIZE_KEYS, size);
export const getRegions = lister("regions", "/regions", "regions", REGION_KEYS, region);
export const getImages = lister("images", "/images", "images", IMAGE_KEYS, image);

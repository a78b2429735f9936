import { openRegionSlugs } from "../catalogue/regions";
import type { Store } from "../store";

/** A Droplet snapshot or custom image of the account. */
export interface ImageRecord {
  readonly id: number;
  readonly name: string;
  readonly type: "snapshot" | "custom" | "backup";
  readonly distribution: string;
  readonly description: string;
  readonly regions: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly minDiskGib: number;
  readonly sizeGigabytes: number;
  readonly tags: readonly string[];
  /** The Droplet it was taken of. */
  readonly dropletId: number | undefined;
  /** Slug of the distribution image that a machine made from this one starts with. */
  readonly baseSlug: string;
}

/** One of DigitalOcean's own distribution images. */
export interface BaseImage {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly distribution: string;
  readonly createdAt: string;
  readonly minDiskGib: number;
}

/** Slug, distribution, name, id, created at. The newest of each distribution that DigitalOcean offers. */
const rows: readonly (readonly [string, string, string, number, string])[] = [
  ["debian-11-x64", "Debian", "11 x64", 129_211_873, "2023-03-29T14:53:06Z"],
  ["debian-12-x64", "Debian", "12 x64", 135_105_873, "2023-07-03T15:23:25Z"],
  ["debian-13-x64", "Debian", "13 x64", 195_932_981, "2025-08-12T14:51:02Z"],
  ["ubuntu-22-04-x64", "Ubuntu", "22.04 (LTS) x64", 129_211_874, "2023-03-29T14:54:23Z"],
  ["ubuntu-24-04-x64", "Ubuntu", "24.04 (LTS) x64", 155_133_621, "2024-05-06T21:01:43Z"],
  ["ubuntu-25-04-x64", "Ubuntu", "25.04 x64", 186_442_665, "2025-05-12T17:17:58Z"],
  ["fedora-41-x64", "Fedora", "41 x64", 170_905_872, "2024-11-20T18:03:11Z"],
  ["fedora-42-x64", "Fedora", "42 x64", 185_312_013, "2025-05-01T16:11:49Z"],
  ["centos-stream-9-x64", "CentOS", "9 Stream x64", 106_427_862, "2022-05-02T19:51:29Z"],
  ["rockylinux-9-x64", "Rocky Linux", "9 x64", 112_929_454, "2022-08-02T20:10:34Z"],
];

export const baseImages: readonly BaseImage[] = rows.map(
  ([slug, distribution, name, id, createdAt]) => ({
    slug,
    distribution,
    name,
    id,
    createdAt,
    minDiskGib: slug.startsWith("debian") || slug.startsWith("ubuntu") ? 7 : 10,
  }),
);

export const findBaseImage = (idOrSlug: number | string) =>
  baseImages.find((image) => image.id === idOrSlug || image.slug === idOrSlug);

export type AnyImage =
  | { readonly base: BaseImage; readonly own?: undefined }
  | { readonly own: ImageRecord; readonly base?: undefined };

/** An image by id or slug, DigitalOcean's or the account's own. */
export function findImage(store: Store, idOrSlug: number | string): AnyImage | undefined {
  const key = typeof idOrSlug === "string" && /^\d+$/.test(idOrSlug) ? Number(idOrSlug) : idOrSlug;
  const base = findBaseImage(key);
  if (base) return { base };
  const own = typeof key === "number" ? store.images.get(key) : undefined;
  return own && { own };
}

export function imageView(image: AnyImage) {
  if (image.base) {
    const { id, slug, name, distribution, createdAt, minDiskGib } = image.base;
    return {
      id,
      name,
      distribution,
      slug,
      public: true,
      regions: openRegionSlugs,
      created_at: createdAt,
      min_disk_size: minDiskGib,
      type: "base",
      size_gigabytes: 2.4,
      description: `${distribution} ${name}`,
      tags: [],
      status: "available",
      error_message: "",
    };
  }
  const own = image.own;
  return {
    id: own.id,
    name: own.name,
    distribution: own.distribution,
    slug: null,
    public: false,
    regions: own.regions,
    created_at: own.createdAt,
    min_disk_size: own.minDiskGib,
    type: own.type,
    size_gigabytes: own.sizeGigabytes,
    description: own.description,
    tags: own.tags,
    status: "available",
    error_message: "",
  };
}

import type { InvokeFunction } from "../framework/provider";
import { text, type Values } from "../framework/values";
import type { ApiClient } from "./client";
import { listResult, narrow } from "./filters";
import { dropletState, type ApiDroplet } from "./resources/droplet";
import type { ApiReservedIp } from "./resources/reserved-ip";
import type { ApiVolume } from "./resources/volume";

type Invoke = InvokeFunction<ApiClient>;

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

interface ApiSshKey {
  readonly id: number;
  readonly name: string;
  readonly fingerprint: string;
  readonly public_key: string;
}

/** A function that lists, filters and sorts one kind of thing. */
const lister =
  <T>(
    key: string,
    path: string,
    apiKey: string,
    keys: readonly string[],
    map: (item: T) => Values,
  ): Invoke =>
  async (client, args) => {
    const found = await client.all<T>(path, apiKey);
    return listResult(key, narrow(found.map(map), args, keys), args);
  };

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

const droplet = (one: ApiDroplet): Values => ({
  ...dropletState(one),
  id: one.id,
  urn: `do:droplet:${one.id}`,
  image: one.image.slug ?? String(one.image.id),
  ipv6AddressPrivate: "",
  gpuPartitionMode: "",
});

const sshKey = (one: ApiSshKey): Values => ({
  id: one.id,
  name: one.name,
  fingerprint: one.fingerprint,
  publicKey: one.public_key,
});

/** Exactly one of the candidates. @throws {Error} for none or several, in the official words */
function single<T>(found: readonly T[], what: string): T {
  const [first] = found;
  if (first === undefined) {
    throw new Error(`no ${what} found`);
  }
  if (found.length > 1) {
    throw new Error(`too many matches for ${what} (found ${found.length}, expected 1)`);
  }
  return first;
}

const IMAGE_SOURCES: Readonly<Record<string, string>> = {
  all: "/images",
  distributions: "/images?type=distribution",
  applications: "/images?type=application",
  user: "/images?private=true",
};

const getImage: Invoke = async (client, args) => {
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

const getDroplet: Invoke = async (client, args) => {
  if (args.id !== undefined) {
    const { droplet: found } = await client.get<{ droplet: ApiDroplet }>(
      `/droplets/${text(args.id)}`,
    );
    return droplet(found);
  }
  const path = args.tag ? `/droplets?tag_name=${encodeURIComponent(text(args.tag))}` : "/droplets";
  const found = await client.all<ApiDroplet>(path, "droplets");
  const named = found.filter(({ name }) => args.tag !== undefined || name === args.name);
  return {
    ...droplet(
      single(
        named,
        `droplet with ${args.tag ? `tag ${text(args.tag)}` : `name ${text(args.name)}`}`,
      ),
    ),
    ...(args.tag ? { tag: args.tag } : {}),
  };
};

const getVolume: Invoke = async (client, args) => {
  const query = args.region ? `&region=${text(args.region)}` : "";
  const found = await client.all<ApiVolume>(
    `/volumes?name=${encodeURIComponent(text(args.name))}${query}`,
    "volumes",
  );
  const named = found.filter(
    (one) =>
      one.name === args.name &&
      (!args.region || one.region.slug === text(args.region).toLowerCase()),
  );
  const volume = single(named, `volume with name ${text(args.name)}`);
  return {
    id: volume.id,
    name: volume.name,
    region: volume.region.slug,
    size: volume.size_gigabytes,
    urn: `do:volume:${volume.id}`,
    description: volume.description,
    filesystemType: volume.filesystem_type,
    filesystemLabel: volume.filesystem_label,
    dropletIds: volume.droplet_ids ?? [],
    tags: volume.tags ?? [],
  };
};

const getReservedIp: Invoke = async (client, args) => {
  const ip = text(args.ipAddress);
  const { reserved_ip: found } = await client.get<{ reserved_ip: ApiReservedIp }>(
    `/reserved_ips/${ip}`,
  );
  return {
    id: found.ip,
    ipAddress: found.ip,
    region: (found.droplet ?? found).region.slug,
    urn: `do:reservedip:${found.ip}`,
    dropletId: found.droplet?.id ?? 0,
  };
};

const getDomain: Invoke = async (client, args) => {
  const { domain } = await client.get<{
    domain: { name: string; ttl: number; zone_file?: string };
  }>(`/domains/${text(args.name)}`);
  return {
    id: domain.name,
    name: domain.name,
    domainUrn: `do:domain:${domain.name}`,
    ttl: domain.ttl,
    zoneFile: domain.zone_file ?? "",
  };
};

const getSshKey: Invoke = async (client, args) => {
  const found = await client.all<ApiSshKey>("/account/keys", "ssh_keys");
  const named = found.filter(({ name }) => name === args.name);
  return sshKey(single(named, `ssh key with name ${text(args.name)}`));
};

const getAccount: Invoke = async (client) => {
  const { account } = await client.get<{ account: Values }>("/account");
  return {
    id: account.uuid,
    uuid: account.uuid,
    email: account.email,
    emailVerified: account.email_verified,
    dropletLimit: account.droplet_limit,
    floatingIpLimit: account.floating_ip_limit,
    status: account.status,
    statusMessage: account.status_message,
  };
};

const token = (name: string): string => `digitalocean:index/${name}:${name}`;

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
const SSH_KEY_KEYS = ["id", "name", "publicKey", "fingerprint"];
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
const DROPLET_KEYS = [
  "id",
  "name",
  "urn",
  "region",
  "image",
  "size",
  "disk",
  "vcpus",
  "memory",
  "priceHourly",
  "priceMonthly",
  "status",
  "locked",
  "createdAt",
  "vpcUuid",
  "ipv4Address",
  "ipv4AddressPrivate",
  "ipv6Address",
  "ipv6AddressPrivate",
  "backups",
  "ipv6",
  "privateNetworking",
  "monitoring",
  "volumeIds",
  "tags",
];

export const functions: Readonly<Record<string, Invoke>> = {
  [token("getSizes")]: lister("sizes", "/sizes", "sizes", SIZE_KEYS, size),
  [token("getRegions")]: lister("regions", "/regions", "regions", REGION_KEYS, region),
  [token("getImages")]: lister("images", "/images", "images", IMAGE_KEYS, image),
  [token("getDroplets")]: lister("droplets", "/droplets", "droplets", DROPLET_KEYS, droplet),
  [token("getSshKeys")]: lister("sshKeys", "/account/keys", "ssh_keys", SSH_KEY_KEYS, sshKey),
  [token("getImage")]: getImage,
  [token("getDroplet")]: getDroplet,
  [token("getVolume")]: getVolume,
  [token("getReservedIp")]: getReservedIp,
  [token("getDomain")]: getDomain,
  [token("getSshKey")]: getSshKey,
  [token("getAccount")]: getAccount,
};

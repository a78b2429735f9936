import type { Context } from "../context";
import { unprocessable } from "../errors";
import type { Store } from "../store";

export interface TagRecord {
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

const pattern = /^[a-zA-Z0-9_\-:]{1,255}$/;

/** Tags differ in more than case; https://docs.digitalocean.com/reference/api/ "Tags". */
export const sameTag = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

export const findTag = (store: Store, name: string) => store.tags.get(name.toLowerCase());

/**
 * Makes the tags that do not exist yet; call inside a transaction.
 *
 * @returns the names in the spelling they were first given, without duplicates.
 */
export function ensureTags({ store, now }: Context, names: readonly string[]): string[] {
  const canonical = names.map((name) => {
    if (!pattern.test(name))
      throw unprocessable(
        `Tag name ${name} is invalid: only letters, numbers, colons, dashes and underscores, at most 255`,
      );
    const tag = findTag(store, name) ?? { name, createdAt: now().toISOString() };
    store.tags.put(name.toLowerCase(), tag);
    return tag.name;
  });
  return [...new Set(canonical)];
}

/** @throws {ApiError} 422 for the first tag that does not exist. */
export function requireTags(store: Store, names: readonly string[]): string[] {
  return names.map((name) => {
    const tag = findTag(store, name);
    if (!tag) throw unprocessable(`tag ${name} does not exist`);
    return tag.name;
  });
}

interface Tagged {
  readonly tags: readonly string[];
}

export const hasTag = (resource: Tagged, name: string) =>
  resource.tags.some((tag) => sameTag(tag, name));

export const withTag = (resource: Tagged, name: string): string[] =>
  hasTag(resource, name) ? [...resource.tags] : [...resource.tags, name];

export const withoutTag = (resource: Tagged, name: string): string[] =>
  resource.tags.filter((tag) => !sameTag(tag, name));

const paths = {
  droplets: "droplets",
  images: "images",
  volumes: "volumes",
  volume_snapshots: "snapshots",
  databases: "databases",
} as const;

/** @param base URL of this API, for `last_tagged_uri`. */
export function tagView(store: Store, tag: TagRecord, base: string) {
  const tagged = {
    droplets: store.droplets.filter((each) => hasTag(each, tag.name)).map((each) => each.id),
    images: store.images.filter((each) => hasTag(each, tag.name)).map((each) => each.id),
    volumes: store.volumes.filter((each) => hasTag(each, tag.name)).map((each) => each.id),
    volume_snapshots: store.volumeSnapshots
      .filter((each) => hasTag(each, tag.name))
      .map((each) => each.id),
    databases: store.databases.filter((each) => hasTag(each, tag.name)).map((each) => each.id),
  };
  const summary = (kind: keyof typeof tagged) => {
    const ids = tagged[kind];
    const last = ids[ids.length - 1];
    return {
      count: ids.length,
      ...(last !== undefined && { last_tagged_uri: `${base}/v2/${paths[kind]}/${last}` }),
    };
  };
  const kinds = {
    droplets: summary("droplets"),
    images: summary("images"),
    volumes: summary("volumes"),
    volume_snapshots: summary("volume_snapshots"),
    databases: summary("databases"),
  };
  const counts = Object.values(kinds);
  const last = counts.find((each) => "last_tagged_uri" in each);
  return {
    name: tag.name,
    resources: {
      count: counts.reduce((sum, each) => sum + each.count, 0),
      ...(last && "last_tagged_uri" in last && { last_tagged_uri: last.last_tagged_uri }),
      ...kinds,
    },
  };
}

import { randomBytes } from "node:crypto";
import type { RegistrySpec } from "../../machines/machines";
import { timestamp } from "../context";
import type { Store } from "../store";
import type { TierSlug } from "./tiers";
import { tiers } from "./tiers";

/** A name under the account's registry host; its images are `registry.digitalocean.com/<name>/…`. */
export interface RegistryRecord {
  readonly name: string;
  /** Slug. */
  readonly region: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** What all registries of the account share. */
export interface RegistrySubscription {
  readonly tier: TierSlug;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const registryHost = "registry.digitalocean.com";

const subscriptionSetting = "registry-subscription";
const accessSetting = "registry-access";

export const subscriptionOf = (store: Store) =>
  store.setting<RegistrySubscription>(subscriptionSetting);

/** Call inside a transaction. */
export function subscribe(store: Store, tier: TierSlug, at: string): void {
  const createdAt = subscriptionOf(store)?.createdAt ?? at;
  const subscription: RegistrySubscription = { tier, createdAt, updatedAt: at };
  store.setSetting(subscriptionSetting, subscription);
}

/** Login and certificate of the account's registry server. */
export type RegistryAccess = Pick<RegistrySpec, "tls" | "username" | "password">;

export const accessOf = (store: Store) => store.setting<RegistryAccess>(accessSetting);

/** Call inside a transaction. A token is user and password at once, as DigitalOcean's are. */
export function setAccess(store: Store, tls: RegistrySpec["tls"]): RegistryAccess {
  const token = `dop_v1_${randomBytes(32).toString("hex")}`;
  const access = { tls, username: token, password: token };
  store.setSetting(accessSetting, access);
  return access;
}

/** The account's registry server, which is there as long as a registry is. */
export function registrySpec(store: Store): RegistrySpec | undefined {
  const access = accessOf(store);
  return access && store.registries.count() > 0 ? { host: registryHost, ...access } : undefined;
}

export const registryView = ({ name, region, createdAt }: RegistryRecord) => ({
  name,
  region,
  created_at: timestamp(new Date(createdAt)),
  storage_usage_bytes: 0,
  storage_usage_bytes_updated_at: timestamp(new Date(createdAt)),
});

export const subscriptionView = ({ tier, createdAt, updatedAt }: RegistrySubscription) => ({
  tier: tiers[tier],
  created_at: timestamp(new Date(createdAt)),
  updated_at: timestamp(new Date(updatedAt)),
});

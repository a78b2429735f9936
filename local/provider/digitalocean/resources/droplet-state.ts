import type { Values } from "../../framework/values";
import { isNotFound, type ApiClient } from "../client";
import { until } from "../wait";

export interface ApiDroplet {
  readonly id: number;
  readonly name: string;
  readonly memory: number;
  readonly vcpus: number;
  readonly disk: number;
  readonly locked: boolean;
  readonly status: "new" | "active" | "off" | "archive";
  readonly created_at: string;
  readonly features: readonly string[];
  readonly region: { readonly slug: string };
  readonly image: { readonly id: number; readonly slug: string | null };
  readonly size: {
    readonly slug: string;
    readonly price_hourly: number;
    readonly price_monthly: number;
  };
  readonly size_slug: string;
  readonly networks: {
    readonly v4: readonly { readonly ip_address: string; readonly type: string }[];
    readonly v6?: readonly { readonly ip_address: string; readonly type: string }[];
  };
  readonly tags: readonly string[];
  readonly volume_ids: readonly string[];
  readonly vpc_uuid: string;
}

/** A just created Droplet may be 404 for a while (P droplet/resource_droplet.go:459-507). */
const NOT_FOUND_CHECKS = 60;
/** What the API tells of a Droplet. The image is left out: slugs move to newer images (P :460-464). */
export function dropletState(droplet: ApiDroplet): Values {
  const address = (version: "v4" | "v6", type: string): string =>
    droplet.networks[version]?.find((network) => network.type === type)?.ip_address ?? "";
  const has = (feature: string): boolean => droplet.features.includes(feature);
  return {
    name: droplet.name,
    region: droplet.region.slug,
    size: droplet.size.slug || droplet.size_slug,
    priceHourly: droplet.size.price_hourly,
    priceMonthly: droplet.size.price_monthly,
    disk: droplet.disk,
    vcpus: droplet.vcpus,
    memory: droplet.memory,
    status: droplet.status,
    locked: droplet.locked,
    createdAt: droplet.created_at,
    vpcUuid: droplet.vpc_uuid,
    ipv4Address: address("v4", "public"),
    ipv4AddressPrivate: address("v4", "private"),
    ipv6Address: address("v6", "public").toLowerCase(),
    backups: has("backups"),
    ipv6: has("ipv6"),
    privateNetworking: has("private_networking"),
    monitoring: has("monitoring"),
    volumeIds: [...droplet.volume_ids],
    tags: [...droplet.tags],
  };
}

export const existingDroplet = (droplet: ApiDroplet) => ({
  id: String(droplet.id),
  state: {
    ...dropletState(droplet),
    dropletUrn: `do:droplet:${droplet.id}`,
    publicNetworking: droplet.networks.v4.some(({ type }) => type === "public"),
  },
});

export const fetchDroplet = async (client: ApiClient, id: string): Promise<ApiDroplet> =>
  (await client.get<{ droplet: ApiDroplet }>(`/droplets/${id}`)).droplet;

/** Waits until an unlocked Droplet satisfies the condition. */
export function whenDroplet(
  client: ApiClient,
  id: string,
  what: string,
  condition: (droplet: ApiDroplet) => boolean,
): Promise<ApiDroplet> {
  let missing = 0;
  return until(client, `Droplet ${id} to ${what}`, async () => {
    try {
      const found = await fetchDroplet(client, id);
      return !found.locked && condition(found) ? found : undefined;
    } catch (error) {
      if (isNotFound(error) && ++missing < NOT_FOUND_CHECKS) {
        return undefined;
      }
      throw error;
    }
  });
}

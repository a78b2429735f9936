import { createHash } from "node:crypto";
import type { ResourceType, Update } from "../../framework/provider";
import { boolean, lowerCase, number, object, set, string } from "../../framework/schema";
import { isZero, items, members, text, texts, type Values } from "../../framework/values";
import { hasStatus, isNotFound, type ApiClient } from "../client";
import { retag, tagSet } from "../tags";
import { act, until } from "../wait";

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
/** P droplet/resource_droplet.go: Timeouts.Delete. */
const DELETE_TIMEOUT_MS = 60 * 1000;

/** The only form in which user data is kept in state (P util/hash.go: HashStringStateFunc). */
export const userDataHash = (userData: string): string =>
  createHash("sha1").update(userData).digest("hex");

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

const existing = (droplet: ApiDroplet) => ({
  id: String(droplet.id),
  state: {
    ...dropletState(droplet),
    dropletUrn: `do:droplet:${droplet.id}`,
    publicNetworking: droplet.networks.v4.some(({ type }) => type === "public"),
  },
});

const fetchDroplet = async (client: ApiClient, id: string): Promise<ApiDroplet> =>
  (await client.get<{ droplet: ApiDroplet }>(`/droplets/${id}`)).droplet;

/** Waits until an unlocked Droplet satisfies the condition. */
function whenDroplet(
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

/** Numbers are IDs, anything else a slug or fingerprint. */
const idOr = (value: unknown): unknown => (/^\d+$/.test(text(value)) ? Number(value) : value);

const policyOf = (value: unknown): Values | undefined =>
  isZero(value)
    ? undefined
    : {
        plan: members(value).plan,
        weekday: members(value).weekday,
        hour: members(value).hour,
      };

async function resize(client: ApiClient, id: string, { news }: Update): Promise<void> {
  const actions = `/droplets/${id}/actions`;
  const powerOn = async (): Promise<void> => {
    await act(client, `powering on Droplet ${id}`, actions, { type: "power_on" });
    await whenDroplet(client, id, "become active", ({ status }) => status === "active");
  };
  try {
    await act(client, `powering off Droplet ${id}`, actions, { type: "power_off" });
  } catch (error) {
    if (!hasStatus(error, 422) || !/already powered off/i.test((error as Error).message)) {
      throw error;
    }
  }
  await whenDroplet(client, id, "power off", ({ status }) => status === "off");
  try {
    await act(client, `resizing Droplet ${id}`, actions, {
      type: "resize",
      size: lowerCase(text(news.size)),
      disk: news.resizeDisk !== false,
    });
  } catch (error) {
    await powerOn();
    throw error;
  }
  await powerOn();
}

async function changeBackups(client: ApiClient, id: string, update: Update): Promise<void> {
  const actions = `/droplets/${id}/actions`;
  const policy = policyOf(update.news.backupPolicy);
  if (update.changed("backups")) {
    const type = update.news.backups === true ? "enable_backups" : "disable_backups";
    await act(client, `${type} on Droplet ${id}`, actions, {
      type,
      ...(type === "enable_backups" && policy ? { backup_policy: policy } : {}),
    });
  } else if (update.changed("backupPolicy") && policy) {
    await act(client, `changing the backup policy of Droplet ${id}`, actions, {
      type: "change_backup_policy",
      backup_policy: policy,
    });
  }
}

async function changeVolumes(client: ApiClient, id: string, update: Update): Promise<void> {
  const [before, after] = [texts(update.olds.volumeIds), texts(update.news.volumeIds)];
  const change = (type: "attach" | "detach", volume: string): Promise<void> =>
    act(client, `${type}ing Volume ${volume}, Droplet ${id}`, `/volumes/${volume}/actions`, {
      type,
      droplet_id: Number(id),
    });
  for (const volume of after.filter((one) => !before.includes(one))) {
    await change("attach", volume);
  }
  for (const volume of before.filter((one) => !after.includes(one))) {
    await change("detach", volume);
  }
}

export const droplet: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    image: string({ required: true, replace: true }),
    region: string({ computed: true, replace: true, state: lowerCase }),
    size: string({ required: true, state: lowerCase }),
    backups: boolean({ default: false }),
    backupPolicy: object({ plan: string(), weekday: string(), hour: number() }),
    dropletAgent: boolean({ replace: true }),
    gracefulShutdown: boolean({ default: false }),
    ipv6: boolean({
      default: false,
      replaceWhen: (old, given) => old === true && given !== true,
    }),
    ipv6Address: string({ computed: true }),
    monitoring: boolean({ default: false, replace: true }),
    privateNetworking: boolean({ computed: true }),
    publicNetworking: boolean({ computed: true, replace: true }),
    resizeDisk: boolean({ default: true }),
    sshKeys: set(string(), { replace: true }),
    tags: tagSet(),
    userData: string({ replace: true, state: userDataHash }),
    volumeIds: set(string(), { computed: true }),
    vpcUuid: string({ computed: true, replace: true }),
  },
  outputs: [
    "createdAt",
    "disk",
    "dropletUrn",
    "ipv4Address",
    "ipv4AddressPrivate",
    "locked",
    "memory",
    "priceHourly",
    "priceMonthly",
    "status",
    "vcpus",
  ],
  autoname: true,
  validate: (inputs) =>
    !isZero(inputs.backupPolicy) && inputs.backups === false
      ? [
          {
            property: "backupPolicy",
            reason: "backupPolicy can only be set when backups are enabled",
          },
        ]
      : [],
  async create(client, inputs, creation) {
    const { droplet: made } = await client.post<{ droplet: ApiDroplet }>("/droplets", {
      name: inputs.name,
      region: inputs.region && lowerCase(text(inputs.region)),
      size: lowerCase(text(inputs.size)),
      image: idOr(inputs.image),
      ssh_keys: items(inputs.sshKeys).map(idOr),
      backups: inputs.backups === true,
      backup_policy: policyOf(inputs.backupPolicy),
      ipv6: inputs.ipv6 === true,
      monitoring: inputs.monitoring === true,
      with_droplet_agent: inputs.dropletAgent,
      public_networking: inputs.publicNetworking,
      tags: texts(inputs.tags),
      user_data: inputs.userData,
      volumes: texts(inputs.volumeIds),
      vpc_uuid: inputs.vpcUuid,
    });
    const id = String(made.id);
    creation.exists(id);
    return existing(
      await whenDroplet(client, id, "become active", ({ status }) => status === "active"),
    );
  },
  async read(client, id, known) {
    const found = await client.find<{ droplet: ApiDroplet }>(`/droplets/${id}`);
    if (!found) {
      return undefined;
    }
    const { state, ...rest } = existing(found.droplet);
    const imported = known.image === undefined;
    return {
      ...rest,
      state: imported
        ? {
            ...state,
            image: found.droplet.image.slug ?? String(found.droplet.image.id),
            resizeDisk: true,
          }
        : state,
    };
  },
  async update(client, id, update) {
    const { olds, news, changed } = update;
    const actions = `/droplets/${id}/actions`;
    if (olds.status === "new") {
      await whenDroplet(client, id, "become active", ({ status }) => status === "active");
    }
    if (changed("size")) {
      await resize(client, id, update);
    }
    if (changed("name")) {
      await act(client, `renaming Droplet ${id}`, actions, { type: "rename", name: news.name });
    }
    await changeBackups(client, id, update);
    if (changed("ipv6") && news.ipv6 === true) {
      await act(client, `enabling IPv6 on Droplet ${id}`, actions, { type: "enable_ipv6" });
    }
    if (changed("tags")) {
      await retag(client, { id, type: "droplet" }, olds.tags, news.tags);
    }
    if (changed("volumeIds")) {
      await changeVolumes(client, id, update);
    }
    return existing(await fetchDroplet(client, id));
  },
  async delete(client, id, state) {
    if (!(await client.find(`/droplets/${id}`))) {
      return;
    }
    try {
      const found = await whenDroplet(client, id, "be unlocked", () => true);
      if (state.gracefulShutdown === true && found.status !== "off") {
        await act(client, `shutting down Droplet ${id}`, `/droplets/${id}/actions`, {
          type: "shutdown",
        });
        await whenDroplet(client, id, "shut down", ({ status }) => status === "off");
      }
      for (const volume of found.volume_ids) {
        await act(client, `detaching Volume ${volume}`, `/volumes/${volume}/actions`, {
          type: "detach",
          droplet_id: Number(id),
        });
      }
    } catch (error) {
      if (isNotFound(error)) {
        return;
      }
      throw error;
    }
    await client.remove(`/droplets/${id}`);
    await until(
      client,
      `Droplet ${id} to be destroyed`,
      async () => ((await client.find(`/droplets/${id}`)) ? undefined : true),
      DELETE_TIMEOUT_MS,
    );
  },
};

import type { ResourceType } from "../../framework/provider";
import { boolean, lowerCase, number, object, set, string } from "../../framework/schema";
import { isZero, items, text, texts } from "../../framework/values";
import { isNotFound, type ApiClient } from "../client";
import { hashed } from "../hashed";
import { retag, tagSet } from "../tags";
import { act, until } from "../wait";
import { changeBackups, changeVolumes, policyOf, resize } from "./droplet-changes";
import { existingDroplet, fetchDroplet, whenDroplet, type ApiDroplet } from "./droplet-state";

/** P droplet/resource_droplet.go: Timeouts.Delete. */
const DELETE_TIMEOUT_MS = 60 * 1000;

/** Numbers are IDs, anything else a slug or fingerprint. */
const idOr = (value: unknown): unknown => (/^\d+$/.test(text(value)) ? Number(value) : value);

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
    userData: string({ replace: true, state: hashed }),
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
    return existingDroplet(
      await whenDroplet(client, id, "become active", ({ status }) => status === "active"),
    );
  },
  async read(client, id, known) {
    const found = await client.find<{ droplet: ApiDroplet }>(`/droplets/${id}`);
    if (!found) {
      return undefined;
    }
    const { state, ...rest } = existingDroplet(found.droplet);
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
    return existingDroplet(await fetchDroplet(client, id));
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

import type { CheckFailure } from "../../../framework/check";
import type { ResourceType, Update } from "../../../framework/provider";
import { boolean, list, lowerCase, number, object, string } from "../../../framework/schema";
import { isZero, items, members, text, texts, type Values } from "../../../framework/values";
import { isNotFound, type ApiClient } from "../../client";
import { toApi } from "../../spelling";
import { retag, tagSet } from "../../tags";
import { type Answer, existing, fetchCluster, whenOnline } from "./cluster-state";
import { SECRET_CONNECTION } from "./connection";

const setMaintenance = (client: ApiClient, id: string, inputs: Values): Promise<void> => {
  const { day, hour } = members(items(inputs.maintenanceWindows)[0]);
  return client.put(`/databases/${id}/maintenance`, { day: text(day).toLowerCase(), hour });
};

async function change(client: ApiClient, id: string, { news, changed }: Update): Promise<void> {
  const path = `/databases/${id}`;
  if (changed("size") || changed("nodeCount") || changed("storageSizeMib")) {
    await client.put(`${path}/resize`, {
      size: news.size,
      num_nodes: news.nodeCount,
      // Left out, a larger plan brings its own base storage.
      ...(changed("storageSizeMib") && !isZero(news.storageSizeMib)
        ? { storage_size_mib: Number(news.storageSizeMib) }
        : {}),
    });
    await whenOnline(client, id);
  }
  if (changed("region")) {
    await client.put(`${path}/migrate`, { region: lowerCase(text(news.region)) });
    await whenOnline(client, id);
  }
  if (changed("maintenanceWindows") && !isZero(news.maintenanceWindows)) {
    await setMaintenance(client, id, news);
  }
  if (changed("storageAutoscale")) {
    const storage = isZero(news.storageAutoscale)
      ? { enabled: false }
      : members(news.storageAutoscale);
    await client.put(`${path}/autoscale`, { storage: toApi(storage) });
  }
  if (changed("evictionPolicy")) {
    const policy = text(news.evictionPolicy) || "noeviction";
    await client.put(`${path}/eviction_policy`, { eviction_policy: policy });
  }
  if (changed("sqlMode")) {
    await client.put(`${path}/sql_mode`, { sql_mode: text(news.sqlMode) });
  }
  if (changed("version")) {
    // Not waited for, as officially (FACTS 13).
    await client.put(`${path}/upgrade`, { version: news.version });
  }
}

/** `13:00` is answered as `13:00:00`. */
const sameHour = (old: unknown, given: unknown): boolean =>
  text(old).split(":").slice(0, 2).join(":") === text(given).split(":").slice(0, 2).join(":");

/** A Redis cluster that DigitalOcean had to upgrade keeps its version. */
const upgraded = (old: unknown, given: unknown, olds: Values): boolean =>
  olds.engine === "redis" && Number(old) > Number(given);

function faults(inputs: Values): CheckFailure[] {
  const fault = (property: string, reason: string): CheckFailure => ({ property, reason });
  const engine = text(inputs.engine);
  return [
    ...(inputs.version === undefined
      ? [fault("version", 'The argument "version" is required, but no definition was found.')]
      : []),
    ...(!isZero(inputs.sqlMode) && engine !== "mysql"
      ? [fault("sqlMode", "sql_mode is only supported for MySQL Database Clusters")]
      : []),
    ...(!isZero(inputs.evictionPolicy) && engine !== "redis" && engine !== "valkey"
      ? [
          fault(
            "evictionPolicy",
            "eviction_policy is only supported for Redis and Valkey Database Clusters",
          ),
        ]
      : []),
  ];
}

/** A managed database cluster. Deleting returns at once; its VPC is free a little later (FACTS 10). */
export const databaseCluster: ResourceType<ApiClient> = {
  inputs: {
    name: string({ replace: true }),
    engine: string({ required: true, replace: true }),
    version: string({ same: upgraded }),
    size: string({ required: true }),
    region: string({ required: true, state: lowerCase }),
    nodeCount: number({ required: true }),
    maintenanceWindows: list(
      object({
        day: string({ required: true }),
        hour: string({ required: true, same: sameHour }),
      }),
    ),
    evictionPolicy: string(),
    sqlMode: string(),
    privateNetworkUuid: string({ replace: true, computed: true }),
    projectId: string({ replace: true, computed: true }),
    tags: tagSet(),
    backupRestore: object({
      databaseName: string({ required: true }),
      backupCreatedAt: string(),
    }),
    storageSizeMib: string({ computed: true }),
    storageAutoscale: object({
      enabled: boolean({ required: true }),
      incrementGib: number(),
      thresholdPercent: number(),
    }),
  },
  outputs: [
    "clusterUrn",
    "database",
    "host",
    "metricsEndpoints",
    "password",
    "port",
    "privateHost",
    "privateUri",
    "uiDatabase",
    "uiHost",
    "uiPassword",
    "uiPort",
    "uiUri",
    "uiUser",
    "uri",
    "user",
  ],
  secretOutputs: [...SECRET_CONNECTION, "uiPassword", "uiUri"],
  autoname: true,
  validate: faults,
  // A cluster that does not get online in time is forgotten, as officially: an orphan that costs (FACTS 14).
  async create(client, inputs) {
    const { database: made } = await client.post<Answer>("/databases", {
      name: inputs.name,
      engine: inputs.engine,
      version: inputs.version,
      size: inputs.size,
      region: lowerCase(text(inputs.region)),
      num_nodes: inputs.nodeCount,
      tags: texts(inputs.tags),
      ...(inputs.privateNetworkUuid ? { private_network_uuid: inputs.privateNetworkUuid } : {}),
      ...(inputs.projectId ? { project_id: inputs.projectId } : {}),
      ...(isZero(inputs.backupRestore)
        ? {}
        : { backup_restore: toApi(members(inputs.backupRestore)) }),
      ...(isZero(inputs.storageSizeMib) ? {} : { storage_size_mib: Number(inputs.storageSizeMib) }),
      ...(isZero(inputs.storageAutoscale)
        ? {}
        : { autoscale: { storage: toApi(members(inputs.storageAutoscale)) } }),
    });
    const { id } = made;
    await whenOnline(client, id);
    if (!isZero(inputs.maintenanceWindows)) {
      await setMaintenance(client, id, inputs);
    }
    if (!isZero(inputs.evictionPolicy)) {
      await client.put(`/databases/${id}/eviction_policy`, {
        eviction_policy: inputs.evictionPolicy,
      });
    }
    if (!isZero(inputs.sqlMode)) {
      await client.put(`/databases/${id}/sql_mode`, { sql_mode: inputs.sqlMode });
    }
    return existing(client, await fetchCluster(client, id), {
      ...inputs,
      password: made.connection?.password,
    });
  },
  async read(client, id, known) {
    try {
      return await existing(client, await fetchCluster(client, id), known);
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  },
  async update(client, id, update) {
    await change(client, id, update);
    if (update.changed("tags")) {
      await retag(client, { id, type: "database" }, update.olds.tags, update.news.tags);
    }
    return existing(client, await fetchCluster(client, id), {
      ...update.news,
      password: update.olds.password,
    });
  },
  delete: (client, id) => client.remove(`/databases/${id}`),
};

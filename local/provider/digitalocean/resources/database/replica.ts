import type { ResourceType } from "../../../framework/provider";
import { set, string } from "../../../framework/schema";
import { isZero, text, texts } from "../../../framework/values";
import { hasStatus, type ApiClient } from "../../client";
import { until } from "../../wait";
import { clusterAndName, SECRET_CONNECTION, type Connected } from "./connection";

interface ApiReplica extends Connected {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly size?: string;
  readonly status: string;
  readonly tags?: readonly string[] | null;
  readonly private_network_uuid?: string;
  readonly storage_size_mib?: number;
}

type Answer = { readonly replica: ApiReplica };

/** P database/resource_database_replica.go: 120 polls, 15 s apart. */
const ONLINE_MS = 30 * 60 * 1000;
/** A new cluster may be online while its first backup is being made (412); the SDK's default creation limit. */
const FIRST_BACKUP_MS = 20 * 60 * 1000;

const replicaPath = (clusterId: string, name: string): string =>
  `/databases/${clusterId}/replicas/${encodeURIComponent(name)}`;

const whenOnline = (client: ApiClient, clusterId: string, name: string): Promise<ApiReplica> =>
  until(
    client,
    `database replica ${name} to become online`,
    async () => {
      const found = await client.find<Answer>(replicaPath(clusterId, name));
      return found?.replica.status === "online" ? found.replica : undefined;
    },
    ONLINE_MS,
  );

/** `uuid` is what a DatabaseFirewall for the replica needs; the resource's ID is not (FACTS 16). */
const existing = (replica: ApiReplica, clusterId: string) => ({
  id: `${clusterId}/replicas/${replica.name}`,
  state: {
    clusterId,
    name: replica.name,
    uuid: replica.id,
    region: replica.region,
    tags: replica.tags ?? [],
    privateNetworkUuid: replica.private_network_uuid ?? "",
    storageSizeMib: String(replica.storage_size_mib ?? 0),
    host: replica.connection?.host,
    port: replica.connection?.port,
    uri: replica.connection?.uri,
    database: replica.connection?.database,
    user: replica.connection?.user,
    password: replica.connection?.password,
    privateHost: replica.private_connection?.host,
    privateUri: replica.private_connection?.uri,
  },
});

/** A read-only replica. It is recorded only once it is online, as officially (FACTS 16). */
export const databaseReplica: ResourceType<ApiClient> = {
  inputs: {
    clusterId: string({ required: true, replace: true }),
    name: string({ replace: true }),
    region: string({ replace: true }),
    size: string(),
    privateNetworkUuid: string({ replace: true, computed: true }),
    storageSizeMib: string({ computed: true }),
    tags: set(string({ state: (tag) => tag.toLowerCase() }), { replace: true }),
  },
  outputs: [
    "uuid",
    "host",
    "privateHost",
    "port",
    "uri",
    "privateUri",
    "database",
    "user",
    "password",
  ],
  secretOutputs: SECRET_CONNECTION,
  autoname: true,
  async create(client, inputs) {
    const clusterId = text(inputs.clusterId);
    const body = {
      name: inputs.name,
      region: inputs.region,
      size: inputs.size,
      tags: texts(inputs.tags),
      ...(inputs.privateNetworkUuid ? { private_network_uuid: inputs.privateNetworkUuid } : {}),
      ...(isZero(inputs.storageSizeMib) ? {} : { storage_size_mib: Number(inputs.storageSizeMib) }),
    };
    const deadline = Date.now() + FIRST_BACKUP_MS;
    const made = await until(client, `the first backup of cluster ${clusterId}`, async () => {
      try {
        return await client.post<Answer>(`/databases/${clusterId}/replicas`, body);
      } catch (error) {
        if (hasStatus(error, 412) && Date.now() < deadline) {
          return undefined;
        }
        throw error;
      }
    });
    return existing(await whenOnline(client, clusterId, made.replica.name), clusterId);
  },
  async read(client, id, known) {
    const [clusterId, name] = clusterAndName(id, known);
    const found = await client.find<Answer>(replicaPath(clusterId, name));
    if (!found) {
      return undefined;
    }
    const { id: stableId, state } = existing(found.replica, clusterId);
    const imported = known.clusterId === undefined;
    return { id: stableId, state: imported ? { ...state, size: found.replica.size } : state };
  },
  async update(client, _id, { olds, news, changed }) {
    const [clusterId, name] = [text(news.clusterId), text(news.name)];
    if (changed("size") || changed("storageSizeMib")) {
      await client.put(`/databases/${text(olds.uuid)}/resize`, {
        size: news.size,
        num_nodes: 1,
        ...(changed("storageSizeMib") ? { storage_size_mib: Number(news.storageSizeMib) } : {}),
      });
    }
    return existing(await whenOnline(client, clusterId, name), clusterId);
  },
  delete: (client, _id, { clusterId, name }) =>
    client.remove(replicaPath(text(clusterId), text(name))),
};

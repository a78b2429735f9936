/** What the API says of a database cluster, as Pulumi's state has it. */
import { isZero, type Values } from "../../../framework/values";
import type { ApiClient } from "../../client";
import { fromApi } from "../../spelling";
import { until } from "../../wait";
import { connectionState, type ApiConnection, type Connected } from "./connection";

export interface ApiDatabaseCluster extends Connected {
  readonly id: string;
  readonly name: string;
  readonly engine: string;
  readonly version: string;
  readonly size: string;
  readonly region: string;
  readonly num_nodes: number;
  readonly status: string;
  readonly private_network_uuid?: string;
  readonly project_id?: string;
  readonly tags?: readonly string[] | null;
  readonly storage_size_mib?: number;
  readonly maintenance_window?: { readonly day: string; readonly hour: string } | null;
  readonly autoscale?: { readonly storage?: object | null } | null;
  readonly ui_connection?: ApiConnection | null;
  readonly metrics_endpoints?: readonly { readonly host: string; readonly port: number }[] | null;
}

/** Of `/v2/databases/<id>`. */
export type Answer = { readonly database: ApiDatabaseCluster };

/** P database/resource_database_cluster.go: Timeouts.Create, also the limit of resizing and migrating. */
const ONLINE_MS = 30 * 60 * 1000;

/** Waits until the cluster is online; 404 is waited out as well. */
export const whenOnline = (client: ApiClient, id: string): Promise<ApiDatabaseCluster> =>
  until(
    client,
    `database cluster ${id} to become online`,
    async () => {
      const found = await client.find<Answer>(`/databases/${id}`);
      return found?.database.status === "online" ? found.database : undefined;
    },
    ONLINE_MS,
  );

export const clusterState = (cluster: ApiDatabaseCluster, known: Values): Values => ({
  name: cluster.name,
  engine: cluster.engine,
  version: cluster.version,
  size: cluster.size,
  region: cluster.region,
  nodeCount: cluster.num_nodes,
  storageSizeMib: String(cluster.storage_size_mib ?? 0),
  tags: cluster.tags ?? [],
  privateNetworkUuid: cluster.private_network_uuid ?? "",
  projectId: cluster.project_id ?? "",
  ...connectionState(cluster, known),
  database: cluster.connection?.database,
  user: cluster.connection?.user,
  ...(cluster.ui_connection
    ? {
        uiHost: cluster.ui_connection.host,
        uiPort: cluster.ui_connection.port,
        uiUri: cluster.ui_connection.uri,
        uiDatabase: cluster.ui_connection.database,
        uiUser: cluster.ui_connection.user,
        uiPassword: cluster.ui_connection.password,
      }
    : {}),
  metricsEndpoints: (cluster.metrics_endpoints ?? []).map(
    ({ host, port }) => `https://${host}:${port}/metrics`,
  ),
});

/** What is read only where the program set it: its absence is no difference. */
async function optionalState(
  client: ApiClient,
  cluster: ApiDatabaseCluster,
  known: Values,
): Promise<Values> {
  const path = `/databases/${cluster.id}`;
  const window = cluster.maintenance_window;
  const storage = cluster.autoscale?.storage;
  return {
    ...(!isZero(known.maintenanceWindows) && window
      ? { maintenanceWindows: [{ day: window.day, hour: window.hour }] }
      : {}),
    ...(!isZero(known.storageAutoscale) && storage ? { storageAutoscale: fromApi(storage) } : {}),
    ...(isZero(known.evictionPolicy)
      ? {}
      : { evictionPolicy: (await client.get<Values>(`${path}/eviction_policy`)).eviction_policy }),
    ...(isZero(known.sqlMode)
      ? {}
      : { sqlMode: (await client.get<Values>(`${path}/sql_mode`)).sql_mode }),
  };
}

export const existing = async (client: ApiClient, cluster: ApiDatabaseCluster, known: Values) => ({
  id: cluster.id,
  state: {
    ...clusterState(cluster, known),
    ...(await optionalState(client, cluster, known)),
    clusterUrn: `do:dbaas:${cluster.id}`,
  },
});

export const fetchCluster = async (client: ApiClient, id: string): Promise<ApiDatabaseCluster> =>
  (await client.get<Answer>(`/databases/${id}`)).database;

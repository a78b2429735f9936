import { timestamp } from "../context";
import { projectOf } from "../projects/model";
import type { Store } from "../store";
import { facts } from "./catalogue";
import {
  type ConnectionPool,
  type DatabaseRecord,
  type DatabaseUser,
  databaseUrn,
  hostOf,
  privateHostOf,
  type ReplicaRecord,
  standbyName,
  type TrustedSource,
} from "./model";

const schemes = { pg: "postgresql", valkey: "rediss" } as const;

/** Port of the metrics of each node. */
const metricsPort = 9273;

/** Newest minor versions of Debian 12, which the local servers are. */
const minorVersions: Readonly<Record<string, string>> = { pg: ".14", valkey: ".0.0" };

interface Target {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: DatabaseUser | undefined;
}

function connectionView({ engine }: DatabaseRecord, { host, port, database, user }: Target) {
  const login = user ? `${encodeURIComponent(user.name)}:${user.password}@` : "";
  const end = engine === "pg" ? `/${encodeURIComponent(database)}?sslmode=require` : "";
  return {
    protocol: schemes[engine],
    uri: `${schemes[engine]}://${login}${host}:${port}${end}`,
    database,
    host,
    port,
    user: user?.name ?? "",
    password: user?.password ?? "",
    ssl: true,
  };
}

/** The public and the private way to a cluster, a standby or a replica, by its name in the hosts. */
function connections(store: Store, record: DatabaseRecord, name: string, pool?: ConnectionPool) {
  const { port, defaultDatabase } = facts[record.engine];
  const target = {
    port: pool ? port + 1 : port,
    database: pool?.name ?? defaultDatabase,
    // Of a pool for whoever logs in, the administrator's.
    user: record.users.find((user) => user.name === pool?.user) ?? record.users[0],
  };
  return {
    connection: connectionView(record, { ...target, host: hostOf(store, name) }),
    private_connection: connectionView(record, { ...target, host: privateHostOf(store, name) }),
  };
}

function standbyConnections(store: Store, record: DatabaseRecord, pool?: ConnectionPool) {
  if (record.nodes < 2) return {};
  const standby = connections(store, record, standbyName(record.name), pool);
  return {
    standby_connection: standby.connection,
    standby_private_connection: standby.private_connection,
  };
}

export function databaseView(store: Store, record: DatabaseRecord) {
  const { storageAutoscale: storage } = record;
  const hosts = [record.name, ...(record.nodes > 1 ? [standbyName(record.name)] : [])];
  return {
    id: record.id,
    name: record.name,
    engine: record.engine,
    version: record.version,
    semantic_version: `${record.version}${minorVersions[record.engine] ?? ""}`,
    ...connections(store, record, record.name),
    ...standbyConnections(store, record),
    users: record.users.map((user) => userView(record, user)),
    db_names: record.engine === "pg" ? record.databases : null,
    num_nodes: record.nodes,
    size: record.size,
    region: record.region,
    status: record.status,
    created_at: timestamp(new Date(record.createdAt)),
    maintenance_window: { ...record.maintenance, pending: false, description: [] },
    private_network_uuid: record.vpcId,
    project_id: projectOf(store, databaseUrn(record)),
    tags: record.tags,
    storage_size_mib: record.storageMib,
    metrics_endpoints: hosts.map((name) => ({ host: hostOf(store, name), port: metricsPort })),
    do_settings: { service_cnames: record.serviceCnames },
    ...(storage && { autoscale: autoscaleView(storage) }),
  };
}

export const autoscaleView = (storage: DatabaseRecord["storageAutoscale"]) => ({
  storage: {
    enabled: storage?.enabled ?? false,
    ...(storage?.thresholdPercent !== undefined && { threshold_percent: storage.thresholdPercent }),
    ...(storage?.incrementGib !== undefined && { increment_gib: storage.incrementGib }),
  },
});

export const userView = ({ engine }: DatabaseRecord, user: DatabaseUser) => ({
  name: user.name,
  role: user.name === facts[engine].administrator ? "primary" : "normal",
  password: user.password,
  ...(engine === "pg" && { settings: { pg_allow_replication: user.allowReplication } }),
});

export const poolView = (store: Store, record: DatabaseRecord, pool: ConnectionPool) => ({
  name: pool.name,
  mode: pool.mode,
  size: pool.size,
  db: pool.database,
  ...(pool.user !== undefined && { user: pool.user }),
  ...connections(store, record, record.name, pool),
  ...standbyConnections(store, record, pool),
});

export const replicaView = (store: Store, record: DatabaseRecord, replica: ReplicaRecord) => ({
  id: replica.id,
  name: replica.name,
  region: replica.region,
  size: replica.size,
  status: replica.status,
  tags: replica.tags,
  created_at: timestamp(new Date(replica.createdAt)),
  private_network_uuid: replica.vpcId,
  storage_size_mib: replica.storageMib,
  ...connections(store, record, replica.name),
  do_settings: { service_cnames: [] },
});

export const ruleView = (clusterId: string, rule: TrustedSource) => ({
  uuid: rule.id,
  cluster_uuid: clusterId,
  type: rule.type,
  value: rule.value,
  created_at: timestamp(new Date(rule.createdAt)),
  ...(rule.description !== "" && { description: rule.description }),
});

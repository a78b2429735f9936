import { randomBytes } from "node:crypto";
import type { DatabaseSpec } from "../../machines/machines";
import type { Context } from "../context";
import { notFound, preconditionFailed } from "../errors";
import type { Store } from "../store";
import { type Engine, facts, planOf } from "./catalogue";

/** What a Valkey cluster may do when its memory is full. */
export const EVICTION_POLICIES = [
  "noeviction",
  "allkeys_lru",
  "allkeys_random",
  "volatile_lru",
  "volatile_random",
  "volatile_ttl",
] as const;

export interface DatabaseUser {
  readonly name: string;
  readonly password: string;
  /** Kept and shown; the local server's users do not replicate. */
  readonly allowReplication: boolean;
}

/** A PgBouncer pool. */
export type ConnectionPool = DatabaseSpec["pools"][number];

/** Who may connect; with none, everybody. */
export interface TrustedSource {
  readonly id: string;
  readonly type: "droplet" | "ip_addr" | "tag";
  /** Droplet id, IPv4 address or CIDR, tag. */
  readonly value: string;
  readonly description: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A read-only node. Locally it has no server of its own: its names lead to the primary. */
export interface ReplicaRecord {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly size: string;
  readonly vpcId: string;
  readonly storageMib: number;
  readonly tags: readonly string[];
  readonly rules: readonly TrustedSource[];
  readonly status: "forking" | "online" | "resizing";
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface MigrationRecord {
  readonly id: string;
  readonly status: "running" | "done" | "error" | "canceled";
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A database cluster. */
export interface DatabaseRecord {
  readonly id: string;
  readonly name: string;
  readonly engine: Engine;
  /** Major version. */
  readonly version: string;
  /** Slug. */
  readonly size: string;
  /** The primary and its standbys; locally one server carries them all. */
  readonly nodes: number;
  /** Slug. */
  readonly region: string;
  readonly vpcId: string;
  readonly privateIp: string;
  readonly publicIp: string;
  readonly storageMib: number;
  readonly tags: readonly string[];
  /** Undefined before it is issued. */
  readonly tls: (DatabaseSpec["tls"] & { readonly names: readonly string[] }) | undefined;
  /** The administrator first. */
  readonly users: readonly DatabaseUser[];
  readonly databases: readonly string[];
  readonly pools: readonly ConnectionPool[];
  readonly rules: readonly TrustedSource[];
  readonly replicas: readonly ReplicaRecord[];
  readonly maintenance: { readonly day: string; readonly hour: string };
  readonly storageAutoscale:
    | {
        readonly enabled: boolean;
        readonly thresholdPercent: number | undefined;
        readonly incrementGib: number | undefined;
      }
    | undefined;
  readonly evictionPolicy: (typeof EVICTION_POLICIES)[number];
  /** Settings as given, by the API's names. Kept and shown; the local server has its own. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Further names in the server's certificate. */
  readonly serviceCnames: readonly string[];
  /** ISO 8601. */
  readonly backups: readonly string[];
  readonly events: readonly {
    readonly id: string;
    readonly type: "cluster_create" | "cluster_update" | "cluster_maintenance_perform";
    /** ISO 8601. */
    readonly at: string;
  }[];
  readonly migration: MigrationRecord | undefined;
  readonly status: "creating" | "online" | "resizing" | "migrating";
  /** Why its server is not as it should be, for the operator. */
  readonly failure: string | undefined;
  readonly deleting: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
}

export const databaseUrn = ({ id }: Pick<DatabaseRecord, "id">) => `do:dbaas:${id}`;

/** Passwords look like DigitalOcean's. */
export const newPassword = () => `AVNS_${randomBytes(15).toString("base64url")}`;

export const newUser = (name: string, allowReplication = false): DatabaseUser => ({
  name,
  password: newPassword(),
  allowReplication,
});

/** The account's number in the names of its database hosts. */
function accountNumber(store: Store): number {
  const uuid = store.setting<string>("account-uuid") ?? "";
  return 10_000_000 + (parseInt(uuid.slice(0, 8), 16) % 9_000_000);
}

/** Public name of a cluster, a replica, or (`replica-<name>`) a standby. */
export const hostOf = (store: Store, name: string) =>
  `${name}-do-user-${accountNumber(store)}-0.g.db.ondigitalocean.com`;

/** The name inside the VPC. */
export const privateHostOf = (store: Store, name: string) => `private-${hostOf(store, name)}`;

export const standbyName = (name: string) => `replica-${name}`;

/** Every name that leads to the cluster's server. */
export function hostsOf(store: Store, { name, nodes, replicas }: DatabaseRecord): string[] {
  const all = [
    name,
    ...(nodes > 1 ? [standbyName(name)] : []),
    ...replicas.map((replica) => replica.name),
  ];
  return all.flatMap((each) => [privateHostOf(store, each), hostOf(store, each)]);
}

export function findDatabase(store: Store, id: string): DatabaseRecord {
  const database = store.databases.get(id);
  if (!database || database.deleting) throw notFound();
  return database;
}

/** @throws {ApiError} 404; 412 while it is being made or changed. */
export function findOnline(store: Store, id: string): DatabaseRecord {
  const database = findDatabase(store, id);
  if (database.status !== "online")
    throw preconditionFailed(`cluster is not online: it is ${database.status}`);
  return database;
}

/** The cluster that has a replica of that id. */
export function findReplica(
  store: Store,
  id: string,
): { database: DatabaseRecord; replica: ReplicaRecord } | undefined {
  for (const database of store.databases.all()) {
    const replica = database.replicas.find((each) => each.id === id);
    if (replica && !database.deleting) return { database, replica };
  }
  return undefined;
}

/** Call inside a transaction. */
export function patchReplica(store: Store, id: string, changes: Partial<ReplicaRecord>): void {
  const found = findReplica(store, id);
  if (!found) return;
  store.databases.patch(found.database.id, {
    replicas: found.database.replicas.map((each) =>
      each.id === id ? { ...each, ...changes } : each,
    ),
  });
}

/** The list of a cluster's events with one more. */
export const withEvent = (
  { now }: Pick<Context, "now">,
  { events }: Pick<DatabaseRecord, "events">,
  type: DatabaseRecord["events"][number]["type"],
): DatabaseRecord["events"] => [
  ...events,
  { id: randomBytes(4).toString("hex"), type, at: now().toISOString() },
];

/** @param tls of the record, which has been issued by now. */
export function databaseSpec(
  database: DatabaseRecord,
  tls: NonNullable<DatabaseRecord["tls"]>,
): DatabaseSpec {
  const { id, name, engine, version, vpcId, privateIp, users, databases, pools } = database;
  const { vcpus, memoryGib } = planOf(database.size);
  const { port } = facts[engine];
  return {
    id,
    name,
    engine,
    version,
    vpcId,
    privateIp,
    port,
    tls: { keyPem: tls.keyPem, certificatePem: tls.certificatePem },
    vcpus,
    memoryMib: memoryGib * 1024,
    users: users.map((user) => ({ name: user.name, password: user.password })),
    databases,
    pools,
    poolPort: port + 1,
  };
}

import * as fs from "node:fs";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { DOCKER_RANGES } from "../infra/addresses";
import * as swarm from "../providers/swarm/sdk";
import { AUTHORITIES_MOUNT } from "./backup/authorities";
import { duration } from "./duration";
import type { DatabaseLogin } from "./managed-postgres";
import {
  base64,
  READABLE,
  type RolloutTarget,
  rolloutTarget,
  serviceArgs,
  SINGLETON,
} from "./service-defaults";

const START_SCRIPT = path.join(__dirname, "postgres/start-postgres");
const ARCHIVE_SCRIPT = path.join(__dirname, "postgres/archive-wal");

const TYPE = "archipelago:database:Postgres";

/** Its password had a name before there were others. */
const SHARED = "app";

/** At most a minute of writes is not archived yet when the node is lost, unless the place is slow. */
const ARCHIVING = [
  ...["-c", "archive_mode=on"],
  ...["-c", "archive_timeout=60"],
  ...["-c", "archive_command=sh /archipelago/archive-wal %p %f"],
];

/** PgBouncer's server connections, and some for the operator. */
const MAX_CONNECTIONS = 100;

export interface PostgresArgs {
  readonly image: pulumi.Input<string>;
  /** PostgreSQL's major version. Data of another version is left alone. */
  readonly version: string;
  /** Memory of the node, in MiB. The database gets half, at least 256. */
  readonly nodeMemoryMib: number;
  readonly networkId: pulumi.Input<string>;
  /** Directory on the node's Volume. */
  readonly directory: string;
  /** Swarm id of the node that holds the Volume. */
  readonly nodeId: pulumi.Input<string>;
  /** Names of databases, `app` among them, each with a user of its name. */
  readonly databases: readonly string[];
  /** Where the write-ahead log is archived. The image is the toolbox then. @default nowhere */
  readonly archive?: PostgresArchive | undefined;
}

/** A place of a backup agent's, as rclone knows it. */
export interface PostgresArchive {
  /** rclone's configuration, with the place's logins: secret. */
  readonly config: pulumi.Input<string>;
  /** Directory of the stack there: `first:bucket/stack`. */
  readonly root: pulumi.Input<string>;
  /** age's public key. */
  readonly recipient: string;
}

/**
 * PostgreSQL as a swarm service `postgres`, its files on the node's Volume: databases, each with a user and a
 * generated password of its own, durable settings scaled to the node.
 *
 * ```ts
 * new Postgres("postgres", { image: IMAGES.postgres, version: "15", nodeMemoryMib: 4096, … });
 * ```
 *
 * One task, never two on the same files; an update interrupts the database for some seconds. It is
 * reached from the overlay network only, by PgBouncer. No replicas. With `archive` its write-ahead log is kept elsewhere too.
 */
export class Postgres extends pulumi.ComponentResource {
  readonly logins: readonly DatabaseLogin[];
  readonly target: RolloutTarget;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, opts);
    const child = { parent: this };

    const users = args.databases.map((database) => this.makeUser(name, database));
    const script = fs.readFileSync(START_SCRIPT, "utf8");
    const start = new docker.ServiceConfig(
      `${name}-start`,
      { data: base64(script) },
      { ...child, deleteBeforeReplace: false },
    );
    const memoryMib = databaseMemoryMib(args.nodeMemoryMib);
    const archive = args.archive && this.makeArchive(name, args.archive);
    const spec = serviceArgs({
      name,
      networkId: args.networkId,
      replicas: 1,
      order: "stop-first",
      memoryMib,
      constraints: [pulumi.interpolate`node.id == ${args.nodeId}`],
      labels: SINGLETON,
      container: {
        image: args.image,
        commands: ["sh", "/archipelago/start-postgres"],
        args: [...settings(memoryMib), ...(archive ? ARCHIVING : [])],
        env: {
          POSTGRES_MAJOR: args.version,
          OVERLAY_CIDR: DOCKER_RANGES.overlay,
          DATABASES: args.databases.join(" "),
          ...archive?.env,
        },
        user: "0:0",
        configs: [
          {
            configId: start.id,
            configName: start.name,
            fileName: "/archipelago/start-postgres",
            fileMode: READABLE,
          },
          ...(archive ? [archive.script] : []),
        ],
        secrets: [...users.map(({ file }) => file), ...(archive ? [archive.login] : [])],
        mounts: [
          { type: "bind", source: args.directory, target: "/var/lib/postgresql/data" },
          // Docker's 64 MiB of shared memory are too few for parallel queries.
          {
            type: "tmpfs",
            target: "/dev/shm",
            tmpfsOptions: { sizeBytes: (memoryMib / 8) * 1024 * 1024 },
          },
          ...(archive ? [AUTHORITIES_MOUNT] : []),
        ],
        // Fast shutdown: sessions end, nothing has to be recovered.
        stopSignal: "SIGINT",
        stopGracePeriod: duration(60),
        healthcheck: {
          tests: ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", "app", "-d", "app"],
          interval: "5s",
          timeout: "3s",
          retries: 5,
          startPeriod: duration(120),
        },
      },
    });
    const service = new docker.Service(name, spec, child);

    this.logins = users.map(({ login }) => login);
    this.target = rolloutTarget(name, service, spec);
    this.registerOutputs({});
  }

  private makeArchive(name: string, { config, root, recipient }: PostgresArchive) {
    const kept = { parent: this, deleteBeforeReplace: false };
    const script = new docker.ServiceConfig(
      `${name}-archive`,
      { data: base64(fs.readFileSync(ARCHIVE_SCRIPT, "utf8")) },
      kept,
    );
    const login = new docker.Secret(
      `${name}-archive`,
      { data: pulumi.secret(config).apply(base64) },
      kept,
    );
    return {
      env: { ARCHIVE_ROOT: root, ARCHIVE_RECIPIENT: recipient },
      script: {
        configId: script.id,
        configName: script.name,
        fileName: "/archipelago/archive-wal",
        fileMode: READABLE,
      },
      // The server reads it as a user of its own, and nobody else is in there.
      login: {
        secretId: login.id,
        secretName: login.name,
        fileName: "archive",
        fileMode: READABLE,
      },
    };
  }

  private makeUser(name: string, database: string) {
    const resource = passwordName(name, database);
    const password = ownPassword(name, database, this);
    const secret = new docker.Secret(
      resource,
      { data: password.value.apply(base64) },
      { parent: this, deleteBeforeReplace: false },
    );
    return {
      login: { database, user: database, password: password.value },
      file: {
        secretId: secret.id,
        secretName: secret.name,
        fileName: `postgres-password-${database}`,
        fileMode: 0o400,
      },
    };
  }
}

const passwordName = (name: string, database: string) =>
  database === SHARED ? `${name}-password` : `${name}-password-${database}`;

/** The password that a container makes for its user. */
export function ownPassword(
  name: string,
  database: string,
  container: pulumi.ComponentResource,
): swarm.Password {
  // Where it is kept once the container is gone, should that not have come to its end.
  const aliases = [{ parent: pulumi.rootStackResource }];
  return new swarm.Password(passwordName(name, database), {}, { parent: container, aliases });
}

/** The password that a container of this name made for its user, where the container itself is no longer declared. */
export function keptPassword(
  name: string,
  database: string,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Output<string> {
  const container = pulumi.createUrn(name, TYPE);
  const password = new swarm.Password(
    passwordName(name, database),
    {},
    { ...(opts.parent && { parent: opts.parent }), aliases: [{ parent: container }] },
  );
  return password.value;
}

/** Half of the node, a multiple of 8; the rest is the app's. */
export function databaseMemoryMib(nodeMemoryMib: number): number {
  return Math.max(256, Math.floor(nodeMemoryMib / 16) * 8);
}

/** PostgreSQL options for a database with this much memory. */
export function settings(memoryMib: number): string[] {
  const options = {
    max_connections: MAX_CONNECTIONS,
    shared_buffers: `${Math.floor(memoryMib / 4)}MB`,
    effective_cache_size: `${Math.floor((memoryMib * 3) / 4)}MB`,
    maintenance_work_mem: `${Math.floor(memoryMib / 16)}MB`,
    work_mem: `${Math.max(2, Math.floor(memoryMib / 256))}MB`,
    // The defaults; said here because decision "data outlives machines" rests on them.
    fsync: "on",
    full_page_writes: "on",
    synchronous_commit: "on",
    wal_compression: "on",
    // What a migration to another server reads. A slot that nobody reads any longer must not fill the Volume.
    wal_level: "logical",
    max_slot_wal_keep_size: "2GB",
    // Volumes are SSDs.
    random_page_cost: "1.1",
  };
  return Object.entries(options).flatMap(([option, value]) => ["-c", `${option}=${value}`]);
}

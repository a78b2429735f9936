import type * as pulumi from "@pulumi/pulumi";
import { DatabaseGrants } from "../../components/database-grants";
import { IMAGES, pulledImage } from "../../components/images";
import type { DatabaseLogin, ManagedPostgres } from "../../components/managed-postgres";
import { Pgbouncer, type PgbouncerArgs } from "../../components/pgbouncer";
import { keptPassword, Postgres, type PostgresArchive } from "../../components/postgres";
import type { RolloutTarget } from "../../components/service-defaults";
import * as swarm from "../../providers/swarm/sdk";
import type { Account } from "../account";
import type { Config } from "../config";
import { databaseNames, poolSize } from "../databases";
import { firstNode } from "../fleet";
import { VOLUME_MOUNT } from "../names";
import type { OnSwarm } from "./on-swarm";
import { inSite } from "./site";
import type { Toolbox } from "./toolbox";

/** The databases as services of the swarm see them. */
export interface ServedDatabase {
  /** By database. */
  readonly urls: Readonly<Record<string, pulumi.Output<string>>>;
  readonly ready: pulumi.Resource;
}

/** Where the container's write-ahead log is archived, and the image that has the programs for it. */
export interface Archive {
  readonly toolbox: Toolbox;
  readonly place: PostgresArchive;
}

/** Sessions for each database of the container, whose limit is a fixed one. */
const CONTAINER_SESSIONS = 80;

/** PgBouncer, and the PostgreSQL behind it; or nothing. @param archive of the container. */
export function serveDatabase(
  config: Config,
  account: Account,
  managed: ManagedPostgres | undefined,
  swarmPlace: OnSwarm,
  archive?: Archive,
): ServedDatabase | undefined {
  const { engine } = config.database;
  if (engine === "none") return undefined;
  const { networkId, connection, child, onSwarm, triggers, site } = swarmPlace;
  const image = pulledImage("pgbouncer", IMAGES.pgbouncer, child);
  const behind =
    engine === "container"
      ? container(config, account, managed, image, swarmPlace, archive)
      : beforePools(config, managed, image, swarmPlace);
  const { first, after, ...pooled } = behind;
  const pgbouncer = new Pgbouncer(
    "pgbouncer",
    { image, networkId, replicas: Object.keys(config.nodes).length > 1 ? 2 : 1, ...pooled },
    { ...onSwarm, dependsOn: [...after] },
  );
  // A release command and the app's first start find a database that answers.
  const services = [...first, pgbouncer.target];
  const ready = new swarm.Rollout(
    "database",
    { connection, services, triggers: [...triggers] },
    inSite(site),
  );
  return { urls: pgbouncer.urls, ready };
}

type Behind = Pick<PgbouncerArgs, "server" | "logins" | "poolSize" | "next"> & {
  /** Services that must be well, too. */
  readonly first: readonly RolloutTarget[];
  readonly after: readonly pulumi.Resource[];
};

function container(
  config: Config,
  account: Account,
  managed: ManagedPostgres | undefined,
  image: pulumi.Output<string>,
  swarmPlace: OnSwarm,
  archive: Archive | undefined,
): Behind {
  const { networkId, volumeNodeId, child, onSwarm } = swarmPlace;
  const size = config.nodes[firstNode(config)]?.size ?? "";
  const databases = databaseNames(config);
  const postgres = new Postgres(
    "postgres",
    {
      image: archive?.toolbox.image ?? pulledImage("postgres", IMAGES.postgres, child),
      version: config.database.version,
      nodeMemoryMib: account.sizes.find(({ slug }) => slug === size)?.memory ?? 0,
      networkId,
      directory: `${VOLUME_MOUNT}/postgres`,
      nodeId: volumeNodeId,
      databases,
      archive: archive?.place,
    },
    archive ? { ...onSwarm, dependsOn: [...archive.toolbox.copies] } : onSwarm,
  );
  return {
    server: { host: "postgres", port: 5432 },
    logins: postgres.logins,
    first: [postgres.target],
    ...(managed
      ? moveTo(config, managed, image, swarmPlace)
      : { poolSize: Math.floor(CONTAINER_SESSIONS / databases.length), after: [] }),
  };
}

/** A managed one as well, which the container's data can be moved to. Both have room for the pooler's sessions. */
function moveTo(
  { database }: Config,
  managed: ManagedPostgres,
  image: pulumi.Output<string>,
  swarmPlace: OnSwarm,
): Pick<Behind, "next" | "poolSize" | "after"> {
  const { cluster } = managed.server;
  const sessions = poolSize(database.size, managed.logins.length);
  return {
    next: {
      server: { ...poolsOf(managed), passwords: passwordsOf(managed) },
      direct: { host: cluster.privateHost, port: cluster.port },
      admin: { user: cluster.user, password: cluster.password },
    },
    poolSize: Math.min(sessions, Math.floor(CONTAINER_SESSIONS / managed.logins.length)),
    after: grantsOf(managed, image, swarmPlace, undefined),
  };
}

/** By way of DigitalOcean's pools: several PgBouncers share what the plan allows, old and new ones included. */
function beforePools(
  { database }: Config,
  managed: ManagedPostgres | undefined,
  image: pulumi.Output<string>,
  swarmPlace: OnSwarm,
): Behind {
  if (managed === undefined) throw new Error("a managed database is part of the stack");
  const moved = database.migratedFrom === "container";
  const logins = moved ? keptLogins(managed, swarmPlace) : managed.logins;
  return {
    server: { ...poolsOf(managed), ...(moved && { passwords: passwordsOf(managed) }) },
    logins,
    poolSize: poolSize(database.size, logins.length),
    first: [],
    after: grantsOf(managed, image, swarmPlace, moved ? logins[0] : undefined),
  };
}

const poolsOf = ({ server, poolPort }: ManagedPostgres) => ({
  host: server.cluster.privateHost,
  port: poolPort,
  nameOf: (name: string) => `${name}_pool`,
  ca: server.ca,
});

const passwordsOf = ({ logins }: ManagedPostgres) =>
  Object.fromEntries(logins.map(({ database, password }) => [database, password]));

/** The passwords that the app has had since the container made them: a move changes none of the app's secrets. */
function keptLogins({ logins }: ManagedPostgres, { onSwarm }: OnSwarm): DatabaseLogin[] {
  return logins.map((login) => ({
    ...login,
    password: keptPassword("postgres", login.database, onSwarm),
  }));
}

/** @param container whose user must not be let in by the container any longer. */
function grantsOf(
  postgres: ManagedPostgres,
  image: pulumi.Output<string>,
  { networkId, connection, onSwarm, site }: OnSwarm,
  container: DatabaseLogin | undefined,
): pulumi.Resource[] {
  // Once for all sites: by the time that another one's services change, it is done.
  if (site.parent !== undefined) return [...postgres.pools];
  const args = { image, networkId, connection, postgres, ...(container && { moved: container }) };
  const grants = new DatabaseGrants("database-grants", args, onSwarm);
  return [...postgres.pools, grants.done];
}

import type * as pulumi from "@pulumi/pulumi";
import { DatabaseGrants } from "../../components/database-grants";
import { IMAGES, pulledImage } from "../../components/images";
import type { ManagedPostgres } from "../../components/managed-postgres";
import { Pgbouncer, type PgbouncerArgs } from "../../components/pgbouncer";
import { Postgres, type PostgresArchive } from "../../components/postgres";
import type { RolloutTarget } from "../../components/service-defaults";
import * as swarm from "../../providers/swarm/sdk";
import type { Account } from "../account";
import type { Config } from "../config";
import { databaseNames, poolSize } from "../databases";
import { firstNode } from "../fleet";
import { VOLUME_MOUNT } from "../names";
import { inSite, type Site } from "./site";
import type { Toolbox } from "./toolbox";

/** Where things of the swarm are made. */
export interface OnSwarm {
  readonly networkId: pulumi.Output<string>;
  /** A manager that lives. */
  readonly connection: pulumi.Output<swarm.Connection>;
  /** Swarm id of the node that has the Volume. */
  readonly volumeNodeId: pulumi.Output<string>;
  /** For single resources. */
  readonly child: pulumi.CustomResourceOptions;
  /** For components. */
  readonly onSwarm: pulumi.ComponentResourceOptions;
  /** Whose change is reason to look at every service again. */
  readonly triggers: readonly string[];
  readonly site: Site;
}

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
    managed === undefined
      ? container(config, account, swarmPlace, archive)
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

type Behind = Pick<PgbouncerArgs, "server" | "logins" | "poolSize"> & {
  /** Services that must be well, too. */
  readonly first: readonly RolloutTarget[];
  readonly after: readonly pulumi.Resource[];
};

function container(
  config: Config,
  account: Account,
  { networkId, volumeNodeId, child, onSwarm }: OnSwarm,
  archive: Archive | undefined,
): Behind {
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
    poolSize: Math.floor(CONTAINER_SESSIONS / databases.length),
    first: [postgres.target],
    after: [],
  };
}

/** By way of DigitalOcean's pools: several PgBouncers share what the plan allows, old and new ones included. */
function beforePools(
  { database }: Config,
  postgres: ManagedPostgres,
  image: pulumi.Output<string>,
  { networkId, connection, onSwarm, site }: OnSwarm,
): Behind {
  const { server, logins, poolPort, pools } = postgres;
  // Once for all sites: by the time that another one's services change, it is done.
  const grants =
    site.parent === undefined
      ? new DatabaseGrants("database-grants", { image, networkId, connection, postgres }, onSwarm)
      : undefined;
  return {
    server: {
      host: server.cluster.privateHost,
      port: poolPort,
      nameOf: (name) => `${name}_pool`,
      ca: server.ca,
    },
    logins,
    poolSize: poolSize(database.size, logins.length),
    first: [],
    after: [...pools, ...(grants ? [grants.done] : [])],
  };
}

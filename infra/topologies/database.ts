import type * as pulumi from "@pulumi/pulumi";
import { IMAGES, pulledImage } from "../../components/images";
import { Pgbouncer } from "../../components/pgbouncer";
import { Postgres } from "../../components/postgres";
import * as swarm from "../../providers/swarm/sdk";
import type { Account } from "../account";
import type { Config } from "../config";
import { nodeWithVolume } from "../fleet";
import { VOLUME_MOUNT } from "../names";

/** Where things of the swarm are made. */
export type OnSwarm = {
  readonly networkId: pulumi.Output<string>;
  /** The node that has the Volume. */
  readonly member: swarm.Node;
  /** A manager. */
  readonly connection: pulumi.Output<swarm.Connection>;
  /** For single resources. */
  readonly child: pulumi.CustomResourceOptions;
  /** For components. */
  readonly onSwarm: pulumi.ComponentResourceOptions;
};

/** PostgreSQL behind PgBouncer, or nothing. */
export function makeDatabase(
  config: Config,
  account: Account,
  { networkId, member, connection, child, onSwarm }: OnSwarm,
) {
  if (config.database.engine === "none") return undefined;
  const size = config.nodes[nodeWithVolume(config)]?.size ?? "";
  const nodeMemoryMib = account.sizes.find(({ slug }) => slug === size)?.memory ?? 0;
  const postgres = new Postgres(
    "postgres",
    {
      image: pulledImage("postgres", IMAGES.postgres, child),
      version: config.database.version,
      nodeMemoryMib,
      networkId,
      directory: `${VOLUME_MOUNT}/postgres`,
      nodeId: member.nodeId,
    },
    onSwarm,
  );
  const pgbouncer = new Pgbouncer(
    "pgbouncer",
    {
      image: pulledImage("pgbouncer", IMAGES.pgbouncer, child),
      networkId,
      host: "postgres",
      password: postgres.password,
    },
    onSwarm,
  );
  // A release command and the app's first start find a database that answers.
  const ready = new swarm.Rollout("database", {
    connection,
    services: [postgres.target, pgbouncer.target],
    triggers: [size],
  });
  return { url: pgbouncer.databaseUrl, ready };
}

import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { ManagedDatabase, type ManagedDatabaseArgs, trustedSources } from "./managed-database";

export interface ManagedPostgresArgs extends Omit<ManagedDatabaseArgs, "engine"> {
  /** Names of databases, each with a user of its name and a connection pool. */
  readonly databases: readonly string[];
  /** Sessions of each pool. Changing this replaces the pools: sessions end, and new ones wait for a moment. */
  readonly poolSize: number;
  /** Read-only copies in the same region. */
  readonly replicas: number;
  /** A read-only copy in another region: its slug, and the VPC there. @default none */
  readonly elsewhere?: CopyPlace | undefined;
}

/** Where a read-only copy is. */
type CopyPlace = Pick<ManagedDatabaseArgs, "region" | "vpcId">;

/** How a server is reached, and by whom. */
export interface DatabaseLogin {
  readonly database: string;
  readonly user: string;
  /** Secret. */
  readonly password: pulumi.Input<string>;
}

/**
 * PostgreSQL as a DigitalOcean Database Cluster: for each database a user and a connection pool of its own.
 *
 * ```ts
 * new ManagedPostgres("postgres", { name: "prod-postgres", databases: ["app"], poolSize: 18, replicas: 0, … });
 * ```
 *
 * Costs what `ManagedDatabase` costs, and each replica as much as a primary. New users may not make anything in a
 * database of PostgreSQL 15 before they are granted it: see `DatabaseGrants`.
 */
export class ManagedPostgres extends pulumi.ComponentResource {
  readonly server: ManagedDatabase;
  readonly logins: readonly DatabaseLogin[];
  /** The pools' own port: always the server's next. */
  readonly poolPort: pulumi.Output<number>;
  readonly pools: readonly digitalocean.DatabaseConnectionPool[];
  readonly replicas: readonly digitalocean.DatabaseReplica[];
  readonly replicaElsewhere: digitalocean.DatabaseReplica | undefined;

  constructor(name: string, args: ManagedPostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:database:ManagedPostgres", name, {}, opts);
    const { databases, poolSize, replicas, elsewhere, ...server } = args;
    this.server = new ManagedDatabase(name, { ...server, engine: "pg" }, { parent: this });
    const { cluster, firewall } = this.server;
    const child: pulumi.CustomResourceOptions = {
      parent: this,
      // They end with the cluster; DigitalOcean answers 404 for each of them by then.
      deletedWith: cluster,
      // Never open, not even for a moment.
      dependsOn: [firewall],
    };
    const made = databases.map((database) => {
      const options = { ...child, protect: args.protect };
      const db = new digitalocean.DatabaseDb(
        `${name}-${database}`,
        { clusterId: cluster.id, name: database },
        options,
      );
      const user = new digitalocean.DatabaseUser(
        `${name}-${database}`,
        { clusterId: cluster.id, name: database },
        child,
      );
      const pool = new digitalocean.DatabaseConnectionPool(
        `${name}-${database}`,
        {
          clusterId: cluster.id,
          name: `${database}_pool`,
          dbName: db.name,
          user: user.name,
          // Like PgBouncer's own: what frameworks and migration tools expect works.
          mode: "session",
          size: poolSize,
        },
        // The sessions of both would be more than the plan allows.
        { ...child, deleteBeforeReplace: true },
      );
      return { login: { database, user: database, password: user.password }, pool };
    });
    this.logins = made.map(({ login }) => login);
    this.pools = made.map(({ pool }) => pool);
    // Not asked of a pool: what hangs on one that is replaced would be deleted before it.
    this.poolPort = cluster.port.apply((port) => port + 1);
    this.replicas = Array.from({ length: replicas }, (_, index) =>
      this.makeReplica(`replica-${index + 1}`, name, args, args, child),
    );
    this.replicaElsewhere =
      elsewhere && this.makeReplica("replica-elsewhere", name, elsewhere, args, child);
    this.registerOutputs({});
  }

  private makeReplica(
    label: string,
    name: string,
    { region, vpcId }: CopyPlace,
    args: ManagedPostgresArgs,
    child: pulumi.CustomResourceOptions,
  ): digitalocean.DatabaseReplica {
    const { cluster } = this.server;
    const replica = new digitalocean.DatabaseReplica(
      `${name}-${label}`,
      {
        clusterId: cluster.id,
        name: `${args.name}-${label}`,
        region,
        size: args.size,
        privateNetworkUuid: vpcId,
      },
      { ...child, deleteBeforeReplace: true, customTimeouts: { create: "45m" } },
    );
    new digitalocean.DatabaseFirewall(
      `${name}-${label}`,
      // Not its ID, which is made of other names.
      { clusterId: replica.uuid, rules: trustedSources(args.trustedTags) },
      { parent: this, deletedWith: replica },
    );
    return replica;
  }
}

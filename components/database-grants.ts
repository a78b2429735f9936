import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as swarm from "../providers/swarm/sdk";
import type { DatabaseLogin, ManagedPostgres } from "./managed-postgres";
import { base64, READABLE } from "./service-defaults";

const CA_FILE = "/archipelago/server-ca.pem";
const SERVICE_FILE = "/run/secrets/pg-service";

export interface DatabaseGrantsArgs {
  /** With `psql`: PgBouncer's has it. */
  readonly image: pulumi.Input<string>;
  readonly networkId: pulumi.Input<string>;
  /** Manager that runs it. */
  readonly connection: pulumi.Input<swarm.Connection>;
  readonly postgres: ManagedPostgres;
  /** A user of the container that the data was in: while that one lets it in, nothing is done. @default none */
  readonly moved?: DatabaseLogin;
}

/**
 * Gives each user its own database and nobody else's. DigitalOcean's new users may connect everywhere, and since
 * PostgreSQL 15 make nothing anywhere.
 *
 * ```ts
 * new DatabaseGrants("database-grants", { image, networkId, connection, postgres });
 * ```
 *
 * Runs as the cluster's own administrator, once for each set of databases.
 */
export class DatabaseGrants extends pulumi.ComponentResource {
  readonly done: swarm.Job;

  constructor(name: string, args: DatabaseGrantsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:database:DatabaseGrants", name, {}, opts);
    const { server, logins, pools } = args.postgres;
    const kept = { parent: this, deleteBeforeReplace: false };
    const login = new docker.Secret(
      name,
      { data: pulumi.secret(serviceFile(args)).apply(base64) },
      kept,
    );
    const ca = new docker.ServiceConfig(`${name}-ca`, { data: server.ca.apply(base64) }, kept);
    this.done = new swarm.Job(
      name,
      {
        connection: args.connection,
        name,
        image: args.image,
        command: ["sh", "-euc", moveScript(logins, args.moved !== undefined)],
        networks: [args.networkId],
        env: { PGSERVICEFILE: SERVICE_FILE, PGCONNECT_TIMEOUT: "10" },
        secrets: [
          {
            secretId: login.id,
            secretName: login.name,
            fileName: "pg-service",
            fileMode: READABLE,
          },
        ],
        configs: [{ configId: ca.id, configName: ca.name, fileName: CA_FILE, fileMode: READABLE }],
      },
      // By then the databases and users are there.
      { parent: this, dependsOn: [...pools, server.firewall] },
    );
    this.registerOutputs({});
  }
}

/** https://www.postgresql.org/docs/15/libpq-pgservice.html */
function serviceFile({ postgres, moved }: DatabaseGrantsArgs): pulumi.Output<string> {
  const { privateHost, port, user, password } = postgres.server.cluster;
  const container = moved
    ? pulumi.interpolate`[container]
host=postgres
dbname=${moved.database}
user=${moved.user}
password=${moved.password}
`
    : "";
  return pulumi.interpolate`${container}[admin]
host=${privateHost}
port=${port}
user=${user}
password=${password}
sslmode=verify-ca
sslrootcert=${CA_FILE}
`;
}

/** Ends the job while the container lets the app in: its data has not been moved. One that is gone says nothing. */
const MOVED = `if psql -X -q -w service=container -c 'SELECT 1' >/dev/null 2>&1; then
  echo 'the app still uses the container: npm run migrate -- postgres has not moved its data (or moved it back)' >&2
  exit 1
fi
`;

/** For a server that data was moved to, besides: the changes that it keeps for the way back would fill its disk. */
function moveScript(logins: readonly DatabaseLogin[], isMoved: boolean): string {
  const databases = logins.map(({ database }) => database);
  const grants = grantScript(databases);
  return isMoved ? [MOVED, grants, ...databases.map(keepNoMore)].join("\n") : grants;
}

/** Slots are their database's; `npm run migrate -- postgres`, which makes them, calls them so. */
const keepNoMore = (database: string) =>
  `psql -X -q -o /dev/null -v ON_ERROR_STOP=1 "service=admin dbname=${database}" -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND slot_name LIKE 'archipelago\\_migration\\_%'"`;

/** A script for `sh` that may run any number of times. Each database has one user, of its own name. */
export function grantScript(databases: readonly string[]): string {
  return databases
    .map((database) => {
      const sql = [
        `REVOKE CONNECT ON DATABASE "${database}" FROM PUBLIC`,
        `GRANT ALL PRIVILEGES ON DATABASE "${database}" TO "${database}"`,
        `GRANT ALL ON SCHEMA public TO "${database}"`,
      ];
      const options = sql.map((statement) => `-c '${statement}'`).join(" ");
      return `psql -X -q -v ON_ERROR_STOP=1 "service=admin dbname=${database}" ${options}`;
    })
    .join("\n");
}

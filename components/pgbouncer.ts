import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { duration } from "./duration";
import type { DatabaseLogin } from "./managed-postgres";
import {
  base64,
  READABLE,
  type RolloutTarget,
  rolloutTarget,
  serviceArgs,
} from "./service-defaults";

const PORT = 6432;
const INI_FILE = "/archipelago/pgbouncer.ini";
const CA_FILE = "/archipelago/server-ca.pem";

/** Apps renew their connections in less. */
const STOP_SECONDS = 60;

/** nobody: PgBouncer refuses to run as root, and every image has this number free of rights. */
const USER = "65534";

export interface PgbouncerArgs {
  readonly image: pulumi.Input<string>;
  readonly networkId: pulumi.Input<string>;
  readonly server: PgbouncerServer;
  /** Who may log in to which database. Users have the names of their databases. */
  readonly logins: readonly DatabaseLogin[];
  /** Sessions that each task holds open for one database at most; more clients wait. */
  readonly poolSize: number;
  /** Tasks. */
  readonly replicas: number;
}

/** A PostgreSQL server, or a pool before one. */
export interface PgbouncerServer {
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** Name of a database there. @default the same name */
  readonly nameOf?: (database: string) => string;
  /** PEM of the authority that signed its certificate. @default no TLS: the server is in the same overlay network */
  readonly ca?: pulumi.Input<string>;
}

/**
 * The connection pooler that apps always talk to, as a swarm service `pgbouncer`. The server behind it can
 * change without a new secret for the app.
 *
 * ```ts
 * new Pgbouncer("pgbouncer", { image, networkId, server: { host: "postgres", port: 5432 },
 *   logins: [{ database: "app", user: "app", password }], poolSize: 80, replicas: 1 });
 * ```
 *
 * It pools by session, not by transaction: prepared statements, LISTEN, advisory locks and SET all work,
 * as frameworks and migration tools expect. The price: an app may hold `poolSize` sessions at once; more wait.
 */
export class Pgbouncer extends pulumi.ComponentResource {
  /** `postgres://app:…@pgbouncer:6432/app` for each database. Secret. */
  readonly urls: Readonly<Record<string, pulumi.Output<string>>>;
  readonly target: RolloutTarget;

  constructor(name: string, args: PgbouncerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:database:Pgbouncer", name, {}, opts);
    const { server, logins } = args;
    const spec = serviceArgs({
      name,
      networkId: args.networkId,
      replicas: args.replicas,
      order: "start-first",
      memoryMib: 64,
      container: {
        image: args.image,
        commands: ["pgbouncer", INI_FILE],
        // Goes on for the clients that it has until they leave; SIGTERM would cut them off in mid-query (before 1.23).
        stopSignal: "SIGINT",
        stopGracePeriod: duration(STOP_SECONDS),
        user: `${USER}:${USER}`,
        configs: [
          this.config(`${name}-ini`, configuration(args), INI_FILE),
          ...(server.ca === undefined
            ? []
            : [this.config(`${name}-ca`, pulumi.output(server.ca), CA_FILE)]),
        ],
        secrets: [this.users(name, logins)],
        healthcheck: {
          tests: ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-p", `${PORT}`, "-U", "app"],
          interval: "5s",
          timeout: "3s",
          retries: 3,
          startPeriod: "30s",
        },
      },
    });
    const service = new docker.Service(name, spec, { parent: this });

    this.urls = Object.fromEntries(
      logins.map(({ database, user, password }) => [
        database,
        pulumi.interpolate`postgres://${user}:${pulumi.secret(password)}@${name}:${PORT}/${database}`,
      ]),
    );
    this.target = rolloutTarget(name, service, spec);
    this.registerOutputs({});
  }

  private config(name: string, content: pulumi.Output<string>, fileName: string) {
    const config = new docker.ServiceConfig(
      name,
      { data: content.apply(base64) },
      { parent: this, deleteBeforeReplace: false },
    );
    return { configId: config.id, configName: config.name, fileName, fileMode: READABLE };
  }

  private users(name: string, logins: readonly DatabaseLogin[]) {
    const lines = pulumi.all(
      logins.map(({ user, password }) => pulumi.interpolate`"${user}" "${password}"\n`),
    );
    const users = new docker.Secret(
      `${name}-users`,
      { data: pulumi.secret(lines).apply((all) => base64(all.join(""))) },
      { parent: this, deleteBeforeReplace: false },
    );
    return {
      secretId: users.id,
      secretName: users.name,
      fileName: "pgbouncer-users",
      fileUid: USER,
      fileGid: USER,
      fileMode: 0o400,
    };
  }
}

/** pgbouncer.ini for PgBouncer 1.18 and later. */
export function configuration({
  server: { host, port, nameOf = (database) => database, ca },
  logins,
  poolSize,
}: Pick<PgbouncerArgs, "server" | "logins" | "poolSize">): pulumi.Output<string> {
  return pulumi.all([host, port]).apply(([hostName, portNumber]) =>
    [
      "[databases]",
      ...logins.map(
        ({ database }) =>
          `${database} = host=${hostName} port=${portNumber} dbname=${nameOf(database)}`,
      ),
      "[pgbouncer]",
      "listen_addr = *",
      `listen_port = ${PORT}`,
      "unix_socket_dir =",
      "auth_type = scram-sha-256",
      "auth_file = /run/secrets/pgbouncer-users",
      "pool_mode = session",
      "max_client_conn = 1000",
      `default_pool_size = ${poolSize}`,
      ...(ca === undefined
        ? []
        : ["server_tls_sslmode = verify-ca", `server_tls_ca_file = ${CA_FILE}`]),
      // Swarm gives a new task a new address, and a failover leads the server's name elsewhere.
      "dns_max_ttl = 2",
      "dns_nxdomain_ttl = 1",
      "server_login_retry = 1",
      // Sent by JDBC; meaningless to a pooler.
      "ignore_startup_parameters = extra_float_digits",
      "log_connections = 0",
      "log_disconnections = 0",
      "",
    ].join("\n"),
  );
}

import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import {
  base64,
  READABLE,
  type RolloutTarget,
  rolloutTarget,
  serviceArgs,
} from "./service-defaults";

const PORT = 6432;

/** nobody: PgBouncer refuses to run as root, and every image has this number free of rights. */
const USER = "65534";

export interface PgbouncerArgs {
  readonly image: pulumi.Input<string>;
  readonly networkId: pulumi.Input<string>;
  /** Name of the database server. */
  readonly host: string;
  /** Of the role `app`. */
  readonly password: pulumi.Input<string>;
}

/**
 * The connection pooler that apps always talk to, as a swarm service `pgbouncer`. The server behind it can
 * change without a new secret for the app.
 *
 * ```ts
 * new Pgbouncer("pgbouncer", { image: IMAGES.pgbouncer, networkId, host: "postgres", password });
 * ```
 *
 * It pools by session, not by transaction: prepared statements, LISTEN, advisory locks and SET all work,
 * as frameworks and migration tools expect. The price: an app may hold 80 sessions at once; more wait.
 */
export class Pgbouncer extends pulumi.ComponentResource {
  /** `postgres://app:…@pgbouncer:6432/app`. Secret. */
  readonly databaseUrl: pulumi.Output<string>;
  readonly target: RolloutTarget;

  constructor(name: string, args: PgbouncerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:database:Pgbouncer", name, {}, opts);
    const child = { parent: this, deleteBeforeReplace: false };

    const password = pulumi.secret(args.password);
    const users = new docker.Secret(
      `${name}-users`,
      { data: password.apply((text) => base64(`"app" "${text}"\n`)) },
      child,
    );
    const ini = configuration(args.host);
    const config = new docker.ServiceConfig(`${name}-ini`, { data: base64(ini) }, child);
    const spec = serviceArgs({
      name,
      networkId: args.networkId,
      replicas: 1,
      order: "start-first",
      memoryMib: 64,
      container: {
        image: args.image,
        commands: ["pgbouncer", "/archipelago/pgbouncer.ini"],
        user: `${USER}:${USER}`,
        configs: [
          {
            configId: config.id,
            configName: config.name,
            fileName: "/archipelago/pgbouncer.ini",
            fileMode: READABLE,
          },
        ],
        secrets: [
          {
            secretId: users.id,
            secretName: users.name,
            fileName: "pgbouncer-users",
            fileUid: USER,
            fileGid: USER,
            fileMode: 0o400,
          },
        ],
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

    this.databaseUrl = pulumi.interpolate`postgres://app:${password}@${name}:${PORT}/app`;
    this.target = rolloutTarget(name, service, spec);
    this.registerOutputs({});
  }
}

/** pgbouncer.ini for PgBouncer 1.18 and later. */
export function configuration(host: string): string {
  return [
    "[databases]",
    `app = host=${host} port=5432 dbname=app`,
    "[pgbouncer]",
    "listen_addr = *",
    `listen_port = ${PORT}`,
    "unix_socket_dir =",
    "auth_type = scram-sha-256",
    "auth_file = /run/secrets/pgbouncer-users",
    "pool_mode = session",
    "max_client_conn = 1000",
    "default_pool_size = 80",
    // Swarm gives a new task a new address.
    "dns_max_ttl = 2",
    "dns_nxdomain_ttl = 1",
    "server_login_retry = 1",
    // Sent by JDBC; meaningless to a pooler.
    "ignore_startup_parameters = extra_float_digits",
    "log_connections = 0",
    "log_disconnections = 0",
    "",
  ].join("\n");
}

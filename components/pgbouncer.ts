import * as fs from "node:fs";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { duration } from "./duration";
import type { DatabaseLogin } from "./managed-postgres";
import {
  CA_FILE,
  choosing,
  configuration,
  PORT,
  serverIni,
  serviceFile,
} from "./pgbouncer/settings";
import {
  base64,
  READABLE,
  type RolloutTarget,
  rolloutTarget,
  serviceArgs,
} from "./service-defaults";

const INI_FILE = "/archipelago/pgbouncer.ini";
const START_FILE = "/archipelago/start-pgbouncer";
const CHOOSE_FILE = "/archipelago/choose-server";

/** libpq's names and passwords for both: for the start script, and for the operator's command. */
const SERVICE_FILE = "pgbouncer-servers";

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
  /**
   * The server that it moves to. A task leads to the first of the two that lets the user of the first database in, and looks again
   * when it is told to: `choose-server`. @default none
   */
  readonly next?: NextServer | undefined;
}

/** A server that another one's data moves to. */
export interface NextServer {
  /** As the pooler reaches it. */
  readonly server: PgbouncerServer;
  /** Itself, where `server` is a pool before it. */
  readonly direct: Pick<PgbouncerServer, "host" | "port">;
  /** May make slots and change roles. Secret. */
  readonly admin: { readonly user: pulumi.Input<string>; readonly password: pulumi.Input<string> };
}

/** A PostgreSQL server, or a pool before one. */
export interface PgbouncerServer {
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** Name of a database there. @default the same name */
  readonly nameOf?: (database: string) => string;
  /** Passwords of the users there, by database. @default those that clients have */
  readonly passwords?: Readonly<Record<string, pulumi.Input<string>>>;
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
    const { server, logins, next } = args;
    const ca = next?.server.ca ?? server.ca;
    const isPlain = next === undefined && server.passwords === undefined;
    const spec = serviceArgs({
      name,
      networkId: args.networkId,
      replicas: args.replicas,
      order: "start-first",
      // The operator's sessions run beside it while data moves.
      memoryMib: next ? 192 : 64,
      container: {
        image: args.image,
        commands: isPlain ? ["pgbouncer", INI_FILE] : ["sh", START_FILE],
        ...(isPlain ? {} : { env: { SERVERS: next ? "container managed" : "managed" } }),
        // Goes on for the clients that it has until they leave; SIGTERM would cut them off in mid-query (before 1.23).
        stopSignal: "SIGINT",
        stopGracePeriod: duration(STOP_SECONDS),
        user: `${USER}:${USER}`,
        configs: [
          this.config(`${name}-ini`, isPlain ? configuration(args) : choosing(args), INI_FILE),
          ...(isPlain
            ? []
            : [
                this.config(`${name}-start`, script("start-pgbouncer"), START_FILE),
                this.config(`${name}-choose`, script("choose-server"), CHOOSE_FILE),
              ]),
          ...(ca === undefined ? [] : [this.config(`${name}-ca`, pulumi.output(ca), CA_FILE)]),
        ],
        secrets: [this.users(name, logins), ...(isPlain ? [] : this.servers(name, args))],
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
    const content = lines.apply((all) => all.join(""));
    return this.secret(`${name}-users`, content, "pgbouncer-users");
  }

  /** Where the users of each server go, and how the start script asks whether they may. */
  private servers(name: string, args: PgbouncerArgs) {
    const { server, next } = args;
    const first = next ? "container" : "managed";
    return [
      this.secret(`${name}-${first}`, serverIni(args, server), `pgbouncer-${first}`),
      ...(next
        ? [this.secret(`${name}-managed`, serverIni(args, next.server), "pgbouncer-managed")]
        : []),
      this.secret(`${name}-servers`, serviceFile(args), SERVICE_FILE),
    ];
  }

  private secret(name: string, content: pulumi.Output<string>, fileName: string) {
    const secret = new docker.Secret(
      name,
      { data: pulumi.secret(content).apply(base64) },
      { parent: this, deleteBeforeReplace: false },
    );
    return {
      secretId: secret.id,
      secretName: secret.name,
      fileName,
      fileUid: USER,
      fileGid: USER,
      fileMode: 0o400,
    };
  }
}

const script = (name: string) =>
  pulumi.output(fs.readFileSync(path.join(__dirname, "pgbouncer", name), "utf8"));

import { readFileSync } from "node:fs";
import path from "node:path";
import type Docker from "dockerode";
import type { DatabaseSpec } from "../../machines";
import { execOrThrow } from "../engine";
import { archive, type ArchiveFile } from "../files";
import type { DatabaseEngine } from "./engine";
import { provisionSql, removeUsersSql, formerUsersSql } from "./postgres-sql";

/** The version that Debian packages; DigitalOcean has newer ones, too. */
export const POSTGRES_VERSION = "15";

const CONFIG_DIR = "/etc/archipelago/database";
/** A folder that the image does not have: a new volume begins as a copy of what is there. */
const DATA_DIR = "/var/lib/archipelago";
const SOCKET_DIR = "/run/postgresql";
const START = readFileSync(path.join(__dirname, "start-postgres"), "utf8");
/** https://docs.digitalocean.com/products/databases/postgresql/details/limits/ */
const CONNECTIONS_PER_GIB = 25;
const RESERVED_CONNECTIONS = 3;
const POOL_NAME = /^[\w.-]+$/;
/** Clients of all pools; each costs about 2 KiB. */
const POOL_CLIENTS = 5000;

/** PostgreSQL behind TLS, with PgBouncer for its pools. */
export const postgres: DatabaseEngine = {
  dataDir: DATA_DIR,
  // "Fast" shutdown: sessions are ended, nothing is lost.
  stopSignal: "SIGINT",
  command: ({ port }) => ["sh", `${CONFIG_DIR}/start`, String(port)],
  check: ({ version, pools }) => {
    if (version !== POSTGRES_VERSION) {
      return `PostgreSQL ${version} has no local body; local databases run ${POSTGRES_VERSION}`;
    }
    const odd = pools.find(({ name }) => !POOL_NAME.test(name));
    return odd && `the pool name "${odd.name}" has characters that PgBouncer cannot have in one`;
  },
  files: (database) =>
    [
      { name: "start", content: START },
      { name: "postgresql.conf", content: serverConfig(database) },
      { name: "pg_hba.conf", content: ACCESS },
      { name: "pgbouncer.ini", content: poolerConfig(database) },
      { name: "server.crt", content: database.tls.certificatePem },
      { name: "server.key", content: database.tls.keyPem },
    ].map((file) => inConfigDir({ ...file, mode: 0o600 })),
  async load(container, { name }, files) {
    await container.putArchive(await archive(files), { path: "/" });
    await execOrThrow(container, `change database ${name}`, ["sh", "-euc", RELOAD]);
  },
  async ready(container, { name, port, poolPort }) {
    const command = ["sh", "-c", UNTIL_READY, "sh", String(port), String(poolPort)];
    await execOrThrow(container, `start database ${name}`, command);
  },
  provision,
};

const inConfigDir = (file: ArchiveFile): ArchiveFile => ({
  ...file,
  name: `${CONFIG_DIR.slice(1)}/${file.name}`,
});

const RELOAD = `
chown -R postgres:postgres ${CONFIG_DIR}
kill -HUP "$(head -n 1 ${DATA_DIR}/data/postmaster.pid)"
kill -HUP "$(cat ${SOCKET_DIR}/pgbouncer.pid)" || :`;

const UNTIL_READY = `
for attempt in $(seq 300); do
  pg_isready -q -h ${SOCKET_DIR} -p "$1" && pg_isready -q -h 127.0.0.1 -p "$2" && exit 0
  sleep 0.1
done
echo "it did not accept connections within 30 seconds" >&2
exit 1`;

async function provision(container: Docker.Container, database: DatabaseSpec): Promise<void> {
  const purpose = `change users and databases of ${database.name}`;
  // Passwords come on standard input and are kept out of the server's log.
  const psql = (sql: string) =>
    execOrThrow(
      container,
      purpose,
      sqlCommand(database),
      `SET log_min_error_statement = panic;\n${sql}`,
    );
  await psql(provisionSql(database));
  const former = lines(await psql(formerUsersSql(database)));
  if (former.length === 0) return;
  const databases = lines(await psql("SELECT datname FROM pg_database WHERE datallowconn;"));
  await psql(removeUsersSql(former, databases));
}

function sqlCommand({ port }: DatabaseSpec): string[] {
  const connection = ["-h", SOCKET_DIR, "-p", String(port), "-U", "postgres", "-d", "postgres"];
  return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", ...connection, "-f", "-"];
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

/** Inside the container everybody is root or the server itself; others come with TLS and a password. */
const ACCESS = `local all all trust
hostssl all postgres all reject
hostssl all all all scram-sha-256
hostssl replication doadmin all scram-sha-256
`;

function serverConfig({ memoryMib }: DatabaseSpec): string {
  const connections = Math.max(1, Math.round(memoryMib / 1024)) * CONNECTIONS_PER_GIB;
  return settings({
    listen_addresses: "*",
    unix_socket_directories: SOCKET_DIR,
    max_connections: connections,
    superuser_reserved_connections: RESERVED_CONNECTIONS,
    // A fifth, as DigitalOcean's default; touched only when used.
    shared_buffers: `${Math.round(memoryMib / 5)}MB`,
    jit: "off",
    ssl: "on",
    ssl_cert_file: `${CONFIG_DIR}/server.crt`,
    ssl_key_file: `${CONFIG_DIR}/server.key`,
    ssl_min_protocol_version: "TLSv1.2",
    password_encryption: "scram-sha-256",
    wal_level: "logical",
    min_wal_size: "32MB",
    max_wal_size: "256MB",
  });
}

function settings(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join("");
}

/**
 * Pools under their names. PgBouncer reaches the server through its socket, and knows passwords only as the
 * server's own records of them.
 */
function poolerConfig({ pools, port, poolPort }: DatabaseSpec): string {
  return [
    "[databases]",
    ...pools.map(({ name, mode, size, database, user }) => {
      const forced = user === undefined ? "" : ` user=${value(user)}`;
      const where = `host=${SOCKET_DIR} port=${port} dbname=${value(database)}${forced}`;
      return `${name} = ${where} pool_mode=${mode} pool_size=${size}`;
    }),
    "[pgbouncer]",
    "listen_addr = 0.0.0.0",
    `listen_port = ${poolPort}`,
    "unix_socket_dir =",
    `pidfile = ${SOCKET_DIR}/pgbouncer.pid`,
    "auth_type = scram-sha-256",
    "auth_user = postgres",
    "auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1 AND NOT usesuper",
    "client_tls_sslmode = require",
    `client_tls_cert_file = ${CONFIG_DIR}/server.crt`,
    `client_tls_key_file = ${CONFIG_DIR}/server.key`,
    `max_client_conn = ${POOL_CLIENTS}`,
    // Its own session for auth_query is a superuser's, which no client can end: while it lasts, no database is renamed.
    "server_lifetime = 5",
    "ignore_startup_parameters = extra_float_digits,options",
    "",
  ].join("\n");
}

const value = (text: string) => `'${text.replaceAll("'", "''")}'`;

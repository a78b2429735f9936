/** What PgBouncer is told, and what its start script reads. */
import * as pulumi from "@pulumi/pulumi";
import type { PgbouncerArgs, PgbouncerServer } from "../pgbouncer";

export const PORT = 6432;
export const CA_FILE = "/archipelago/server-ca.pem";

/** Where the task keeps which of two servers it leads to. */
const SERVER_FILE = "/tmp/server.ini";

/** pgbouncer.ini for PgBouncer 1.18 and later. */
export function configuration({
  server: { host, port, nameOf = (database) => database, ca },
  logins,
  poolSize,
}: Pick<PgbouncerArgs, "server" | "logins" | "poolSize">): pulumi.Output<string> {
  return pulumi
    .all([host, port])
    .apply(([hostName, portNumber]) =>
      [
        "[databases]",
        ...logins.map(
          ({ database }) =>
            `${database} = host=${hostName} port=${portNumber} dbname=${nameOf(database)}`,
        ),
        "[pgbouncer]",
        "unix_socket_dir =",
        ...general(poolSize),
        ...(ca === undefined ? [] : VERIFIED),
        "",
      ].join("\n"),
    );
}

/** The same where a file that changes says which server. The console is for who is in the task. */
export function choosing({ poolSize }: PgbouncerArgs): pulumi.Output<string> {
  const lines = [
    "[pgbouncer]",
    "unix_socket_dir = /tmp",
    ...general(poolSize),
    // Its first lines belong to this section: another [pgbouncer] would begin with every setting's default.
    `%include ${SERVER_FILE}`,
  ];
  return pulumi.output([...lines, ""].join("\n"));
}

/** What changes with the server: its place, the users' passwords there, and whether it proves itself. */
export function serverIni(
  { logins }: PgbouncerArgs,
  { host, port, nameOf = (database) => database, ca, passwords = {} }: PgbouncerServer,
): pulumi.Output<string> {
  const lines = logins.map(
    ({ database, user, password }) =>
      pulumi.interpolate`${database} = host=${host} port=${port} dbname=${nameOf(database)} user=${user} password=${passwords[database] ?? password}`,
  );
  const trust = ca === undefined ? ["server_tls_sslmode = disable"] : VERIFIED;
  return pulumi
    .all(lines)
    .apply((databases) => [...trust, "[databases]", ...databases, ""].join("\n"));
}

/** https://www.postgresql.org/docs/15/libpq-pgservice.html */
export function serviceFile({ server, logins, next }: PgbouncerArgs): pulumi.Output<string> {
  const section = (
    name: string,
    place: Pick<PgbouncerServer, "host" | "port">,
    ca: PgbouncerServer["ca"],
    login: readonly pulumi.Input<string>[],
  ) => {
    const lines: pulumi.Input<string>[] = [
      `[${name}]`,
      pulumi.interpolate`host=${place.host}`,
      pulumi.interpolate`port=${place.port}`,
      ...login,
      ...(ca === undefined ? [] : ["sslmode=verify-ca", `sslrootcert=${CA_FILE}`]),
    ];
    return pulumi.all(lines).apply((all) => all.join("\n"));
  };
  const first = logins.slice(0, 1).flatMap(({ database, user, password }) => {
    const as = (one: PgbouncerServer) => [
      pulumi.interpolate`user=${user}`,
      pulumi.interpolate`password=${one.passwords?.[database] ?? password}`,
    ];
    const nameAt = ({ nameOf = (plain: string) => plain }: PgbouncerServer) =>
      `dbname=${nameOf(database)}`;
    if (next === undefined)
      return [section("managed", server, server.ca, [...as(server), nameAt(server)])];
    return [
      section("container", server, server.ca, [...as(server), nameAt(server)]),
      section("managed", next.direct, next.server.ca, [...as(next.server), `dbname=${database}`]),
      section("managed-admin", next.direct, next.server.ca, [
        pulumi.interpolate`user=${next.admin.user}`,
        pulumi.interpolate`password=${next.admin.password}`,
      ]),
    ];
  });
  return pulumi.all(first).apply((sections) => `${sections.join("\n")}\n`);
}

const VERIFIED = ["server_tls_sslmode = verify-ca", `server_tls_ca_file = ${CA_FILE}`];

function general(poolSize: number): string[] {
  return [
    "listen_addr = *",
    `listen_port = ${PORT}`,
    "auth_type = scram-sha-256",
    "auth_file = /run/secrets/pgbouncer-users",
    "pool_mode = session",
    "max_client_conn = 1000",
    `default_pool_size = ${poolSize}`,
    // Swarm gives a new task a new address, and a failover leads the server's name elsewhere.
    "dns_max_ttl = 2",
    "dns_nxdomain_ttl = 1",
    "server_login_retry = 1",
    // Sent by JDBC; meaningless to a pooler.
    "ignore_startup_parameters = extra_float_digits",
    "log_connections = 0",
    "log_disconnections = 0",
  ];
}

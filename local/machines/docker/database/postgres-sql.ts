import type { DatabaseSpec } from "../../machines";

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string) => `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const list = (names: readonly string[]) =>
  `(VALUES ${["", ...names].map((name) => `(${literal(name)})`).join(", ")})`;

/** DigitalOcean's administrator: no superuser. https://docs.digitalocean.com/products/databases/postgresql/ */
const ADMINISTRATOR = "doadmin";

/**
 * psql script that makes users and databases as the API has them, and removes databases that it had before.
 * What was made with SQL is left alone. Databases belong to the administrator, and other users get no right
 * in them by themselves.
 */
export function provisionSql({
  users,
  databases,
}: Pick<DatabaseSpec, "users" | "databases">): string {
  return [
    "CREATE SCHEMA IF NOT EXISTS archipelago;",
    "REVOKE ALL ON SCHEMA archipelago FROM PUBLIC;",
    // What the API has made, so that what it no longer has can be told from what SQL has made.
    "CREATE TABLE IF NOT EXISTS archipelago.made (kind text, name text, PRIMARY KEY (kind, name));",
    ...users.flatMap(({ name, password }) => [
      `SELECT 'CREATE ROLE ' || quote_ident(${literal(name)}) WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(name)}) \\gexec`,
      `ALTER ROLE ${identifier(name)} LOGIN PASSWORD ${literal(password)};`,
      made("user", name),
    ]),
    ...(users.some(({ name }) => name === ADMINISTRATOR)
      ? [
          `ALTER ROLE ${ADMINISTRATOR} CREATEDB CREATEROLE REPLICATION BYPASSRLS;`,
          `GRANT pg_monitor, pg_signal_backend, pg_read_all_data, pg_write_all_data TO ${ADMINISTRATOR};`,
        ]
      : []),
    ...databases.flatMap((name) => [
      `SELECT 'CREATE DATABASE ' || quote_ident(${literal(name)}) || ' OWNER ${ADMINISTRATOR}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${literal(name)}) \\gexec`,
      made("database", name),
    ]),
    `SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', name) FROM archipelago.made WHERE kind = 'database' AND name NOT IN ${list(databases)} \\gexec`,
    `DELETE FROM archipelago.made WHERE kind = 'database' AND name NOT IN ${list(databases)};`,
    "",
  ].join("\n");
}

/** Users that the API had made and no longer has, one a line. */
export function formerUsersSql({ users }: Pick<DatabaseSpec, "users">): string {
  const names = list(users.map(({ name }) => name));
  return `SELECT r.rolname FROM pg_roles r JOIN archipelago.made m ON m.kind = 'user' AND m.name = r.rolname WHERE r.rolname NOT IN ${names};`;
}

/** psql script that removes users; what they own becomes the administrator's. */
export function removeUsersSql(users: readonly string[], databases: readonly string[]): string {
  const names = users.map(identifier).join(", ");
  return [
    ...databases.flatMap((database) => [
      `\\connect ${identifier(database)}`,
      `REASSIGN OWNED BY ${names} TO ${ADMINISTRATOR};`,
      `DROP OWNED BY ${names};`,
    ]),
    "\\connect postgres",
    `DROP ROLE ${names};`,
    `DELETE FROM archipelago.made WHERE kind = 'user' AND name IN ${list(users)};`,
    "",
  ].join("\n");
}

function made(kind: "user" | "database", name: string): string {
  return `INSERT INTO archipelago.made VALUES ('${kind}', ${literal(name)}) ON CONFLICT DO NOTHING;`;
}

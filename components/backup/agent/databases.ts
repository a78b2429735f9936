import type { DatabaseServer } from "../settings";
import type { Access } from "./access";
import { askOnce, literal, quoted, Session, TABLES } from "./postgres";

/** DigitalOcean's own, which hold nothing of a customer's. */
const INTERNAL = ["postgres", "_dodb"];

/** A server of ours always has it. */
const CONTAINER_ADMIN_DATABASE = "postgres";

/** Which database the administrator works from: it is never renamed. */
export const adminDatabase = (server: DatabaseServer) =>
  server.kind === "managed" ? server.adminDatabase : CONTAINER_ADMIN_DATABASE;

/**
 * What is saved: the stack's databases, and of a managed server every other one as well. What restores left or kept is none.
 */
export async function databasesOf(server: DatabaseServer, access: Access): Promise<string[]> {
  if (server.kind === "container") return [...server.databases];
  const found = await askOnce(
    access,
    server.adminDatabase,
    `SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND has_database_privilege(oid, 'CONNECT')
     AND datname NOT IN (${INTERNAL.map(literal).join(", ")}) AND datname !~ '_(restore|before)_[0-9]{8}t[0-9]{6}z$' ORDER BY 1`,
  );
  const others = found.filter((name) => !server.databases.includes(name));
  const all = [...server.databases, ...others];
  const isUsed = (await askOnce(access, server.adminDatabase, TABLES)).length > 0;
  return isUsed ? all : all.filter((name) => name !== server.adminDatabase);
}

/** Whoever owns something in the database of the session, superusers apart, who are nobody's to act for. */
const OWNERS = `SELECT DISTINCT r.rolname FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.deptype = 'o' AND NOT r.rolsuper
AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) ORDER BY 1`;

/**
 * Lets an administrator that is no superuser read and make what belongs to others: it becomes a member of their roles.  *
 * @param more roles that may own nothing there yet. What does not exist is left out.
 * @returns the roles.
 */
export async function actForOwners(
  access: Access,
  database: string,
  more: readonly string[] = [],
): Promise<string[]> {
  const session = Session.open(access, database);
  try {
    const owners = await session.ask(OWNERS);
    const names = [...owners, ...more].map(literal).join(", ");
    if (names === "") return [];
    const roles = await session.ask(
      `SELECT rolname, pg_has_role(oid, 'USAGE') FROM pg_roles WHERE rolname IN (${names}) AND NOT rolsuper ORDER BY 1`,
    );
    const named: string[] = [];
    for (const line of roles) {
      const role = line.slice(0, line.lastIndexOf("|"));
      if (line.endsWith("|f")) await session.ask(`GRANT ${quoted(role)} TO CURRENT_USER`);
      named.push(role);
    }
    return named;
  } finally {
    await session.close();
  }
}

/** One of the two servers of a migration. */
import type { Psql } from "../psql";
import { identifier, literal } from "../names";
import { type Gate, roleGate } from "./gate";

/** Sessions in the database that is migrated. */
export interface Side {
  /** May shut and open the gate, end sessions and make replication slots: the container's superuser, DigitalOcean's `doadmin`. */
  readonly admin: Psql;
  /** The same login, acting as the tables' owner. */
  readonly owner: Psql;
  /** The tables' owner. */
  readonly role: string;
  readonly gate: Gate;
}

/** Opens both, and makes the administrator a member of the owner's role, as only a superuser is by itself. */
export async function openSide(
  open: () => Psql,
  role: string,
  gate = roleGate(role),
): Promise<Side> {
  const admin = open();
  const isMember = await admin.value(`SELECT pg_has_role(${literal(role)}, 'MEMBER');`);
  if (isMember !== "t") await admin.run(`GRANT ${identifier(role)} TO CURRENT_USER;`);
  const owner = open();
  await owner.run(`SET ROLE ${identifier(role)}; SET client_min_messages TO warning;`);
  return { admin, owner, role, gate };
}

export async function closeSide({ admin, owner }: Side): Promise<void> {
  await Promise.all([admin.end(), owner.end()]);
}

/** What keeps an app from writing to the server that does not have its data, or not any longer. */
import { identifier, literal } from "../names";

/** By it our own sessions are told from an app's. */
export const APPLICATION = "archipelago-migrate";

/** SQL for an administrator's session in the database. */
export interface Gate {
  readonly shut: string;
  readonly open: string;
  /** A query: t where the app may write. */
  readonly isOpen: string;
  /** Condition on pg_stat_activity for the app's sessions. */
  readonly sessions: string;
  /** Whether those that were there before may be ended, for the app comes again elsewhere; else somebody has to stop it. */
  readonly endsSessions: boolean;
}

/** A stack's server: its user has the database's name, and may log in or not. */
export const roleGate = (role: string): Gate => ({
  shut: `ALTER ROLE ${identifier(role)} NOLOGIN;`,
  open: `ALTER ROLE ${identifier(role)} LOGIN;`,
  isOpen: `SELECT rolcanlogin FROM pg_roles WHERE rolname = ${literal(role)};`,
  sessions: `usename = ${literal(role)} AND datname = current_database() AND pid <> pg_backend_pid()`,
  endsSessions: true,
});

/**
 * A server outside: sessions that begin after it was shut can only read, unless they ask for more in so many words. Whose logins use it is not ours to
 * know, so they are not taken away.
 */
export const databaseGate = (database: string): Gate => ({
  shut: `ALTER DATABASE ${identifier(database)} SET default_transaction_read_only = on;`,
  open: `ALTER DATABASE ${identifier(database)} RESET default_transaction_read_only;`,
  isOpen: `
    SELECT NOT EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
    WHERE d.datname = current_database() AND s.setrole = 0 AND 'default_transaction_read_only=on' = ANY (s.setconfig));`,
  sessions: `datname = current_database() AND backend_type = 'client backend' AND application_name <> '${APPLICATION}'`,
  endsSessions: false,
});

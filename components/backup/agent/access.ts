import { statSync } from "node:fs";
import * as path from "node:path";
import type { ContainerServer, DatabaseServer, ManagedServer } from "../settings";
import type { Command } from "./flow";
import { writePrivate } from "./private";

const COMMON = { PGCONNECT_TIMEOUT: "15", PGAPPNAME: "archipelago backup" };

/** How programs of PostgreSQL reach a server: with the variables of libpq, and as which user of this machine. */
export interface Access {
  readonly env: Readonly<Record<string, string>>;
  readonly as?: Command["as"];
}

/** @param secrets a private directory in memory: the password and the authority are written there. */
export function accessTo(server: DatabaseServer, secrets: string): Access {
  return server.kind === "container" ? socketOf(server) : tlsTo(server, secrets);
}

/** By the server's second socket, as its own user, who is its administrator. */
export function socketOf({ directory }: ContainerServer) {
  const socket = path.join(directory, "run");
  const { uid, gid } = statSync(socket);
  // Nobody else gets in that way: the socket asks the kernel who it is.
  return { env: { ...COMMON, PGHOST: socket, PGUSER: "postgres" }, as: { uid, gid } };
}

/** DigitalOcean's certificates are signed by an authority of the account's own, which is the only one that is believed. */
function tlsTo({ host, port, user, password, ca }: ManagedServer, secrets: string): Access {
  const authority = path.join(secrets, "server-ca.pem");
  const passwords = path.join(secrets, "pgpass");
  writePrivate(authority, ca);
  writePrivate(passwords, `*:*:*:*:${password.replaceAll(/[\\:]/g, "\\$&")}\n`);
  return {
    env: {
      ...COMMON,
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSFILE: passwords,
      PGSSLMODE: "verify-ca",
      PGSSLROOTCERT: authority,
    },
  };
}

/** The server's files as they were at a moment: a data directory for a PostgreSQL of the same major version. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { userInfo } from "node:os";
import * as path from "node:path";
import { type Base, basesIn, unpackBase } from "../../../components/backup/agent/base";
import { decompress, decrypt } from "../../../components/backup/agent/context";
import { copyFor } from "../../../components/backup/agent/copies";
import { textOf } from "../../../components/backup/agent/flow";
import { askOnce } from "../../../components/backup/agent/postgres";
import { privateDirectory } from "../../../components/backup/agent/private";
import { mustReach } from "../../../components/backup/agent/recover";
import { replay, writeScripts } from "../../../components/backup/agent/replay";
import { mustOpen } from "../../../components/backup/agent/restore";
import { Fault } from "../../../local/fault";
import { size } from "../../backup/agent";
import type { Opened } from "./opened";

/** Where Debian and Ubuntu keep a server's programs. */
const programsOf = (version: string) => `/usr/lib/postgresql/${version}/bin`;

/** A server does not run as root: then it is the user that PostgreSQL's packages make. */
const SERVER_USER = "postgres";

export interface Recovery {
  readonly made: Base;
  /** ISO 8601, or `end`. */
  readonly moment: string;
  readonly identity: string;
}

/**
 * @param system of the server, where several archived. @default see `copyFor`
 * @throws {Error} when the archive does not lead to the moment, or the key does not open it.
 */
export async function recoveryTo(
  { store }: Opened,
  { moment, system }: { readonly moment: string; readonly system: string | undefined },
  identity: string,
): Promise<Recovery> {
  const made = copyFor(store, await basesIn(store), moment, system);
  mustOpen(`the copy of ${made.finishedAt}`, made.recipient, identity);
  await mustReach(store, made, moment);
  return { made, moment, identity };
}

/**
 * Unpacks the copy, lets a server replay the log on it, and stops that server. The directory gets its name when all is done.
 *
 * @returns databases that are in it.
 */
export async function intoDataDirectory(
  opened: Opened,
  { made, moment, identity }: Recovery,
  directory: string,
): Promise<string[]> {
  const { tell, secrets } = opened;
  if (fs.existsSync(directory) && fs.readdirSync(directory).length > 0) {
    throw new Fault(`${directory} is not empty: name another directory.`);
  }
  usePrograms(made.version);
  const user = serverUser();
  const partial = `${directory}.partial`;
  // What a killed attempt left. What it had started may be ending still.
  fs.rmSync(partial, { recursive: true, force: true, maxRetries: 10 });
  fs.mkdirSync(partial, { recursive: true, mode: 0o700 });
  // Not below `secrets`, which no other user may enter.
  const side = privateDirectory(path.dirname(secrets), "archipelago-recovery");
  try {
    mustFit(partial, made);
    const scripts = writeScripts(opened.store, made, identity, side);
    for (const file of [partial, side, ...scripts.files]) fs.chownSync(file, user.uid, user.gid);
    const to = { command: ["tar", "-x", "-C", partial], as: user } as const;
    await unpackBase(opened, opened.store, made, [decrypt(scripts.identity), decompress], {
      ...to,
      command: [...to.command],
    });
    letIn(partial, user.name);
    tell({ event: "begins", what: `the log up to ${moment}` });
    const { fetch } = scripts;
    const server = await replay(opened, { directory: partial, side, as: user, fetch, moment });
    const databases = await askOnce(
      server.access,
      "postgres",
      "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1",
    ).finally(() => server.stop());
    // It ran without waiting for the disk.
    await textOf({ command: ["initdb", "--sync-only", "-D", partial], as: user });
    fs.rmSync(directory, { recursive: true, force: true });
    fs.renameSync(partial, directory);
    return databases;
  } catch (error) {
    fs.rmSync(partial, { recursive: true, force: true });
    throw error;
  } finally {
    fs.rmSync(side, { recursive: true, force: true });
  }
}

/** @throws {Fault} when there is no server of that version on this machine: no other one reads the files. */
function usePrograms(version: string): void {
  process.env.PATH = `${programsOf(version)}:${process.env.PATH ?? ""}`;
  let found = "none";
  try {
    found = execFileSync("postgres", ["--version"], { encoding: "utf8" }).trim();
  } catch {
    // None.
  }
  if (new RegExp(`\\b${version}\\.`).test(found)) return;
  throw new Fault(
    `The files are of PostgreSQL ${version}, and no other version reads them; here is ${found}. On Debian and Ubuntu: apt-get install postgresql-${version}`,
  );
}

function serverUser(): { readonly uid: number; readonly gid: number; readonly name: string } {
  const { uid, gid, username } = userInfo();
  if (uid !== 0) return { uid, gid, name: username };
  const number = (flag: string) =>
    Number(execFileSync("id", [flag, SERVER_USER], { encoding: "utf8" }));
  try {
    return { uid: number("-u"), gid: number("-g"), name: SERVER_USER };
  } catch {
    throw new Fault(
      `PostgreSQL does not run as root, and there is no user ${SERVER_USER}: run this as another user.`,
    );
  }
}

/** Whoever owns the files is the administrator, by the Unix socket; the containers' networks are others' here. */
function letIn(directory: string, user: string): void {
  fs.writeFileSync(path.join(directory, "pg_hba.conf"), "local all postgres peer map=owner\n");
  fs.writeFileSync(path.join(directory, "pg_ident.conf"), `owner ${user} postgres\n`);
}

function mustFit(directory: string, { originalBytes }: Base): void {
  // And the log that is replayed.
  const needed = originalBytes * 1.2;
  const { bavail, bsize } = fs.statfsSync(directory);
  if (bavail * bsize >= needed) return;
  throw new Fault(
    `Not enough room beside ${directory}: about ${size(needed)} are needed, and ${size(bavail * bsize)} are free.`,
  );
}

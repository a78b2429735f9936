import {
  chownSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import * as path from "node:path";
import { type Command, textOf } from "./flow";
import type { Tables } from "./manifest";

/** What every SQLite file begins with. https://www.sqlite.org/fileformat.html */
const HEADER = Buffer.from("SQLite format 3\0");

/** What SQLite keeps beside a database while it is in use: of no use without it, nor with a copy of it. */
export const COMPANIONS = ["-wal", "-shm", "-journal"] as const;

/** For a lock that the app holds. */
const BUSY_MS = 60_000;

/** @returns false for what is gone. */
export function isSqlite(file: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (["ENOENT", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
  try {
    const start = Buffer.alloc(HEADER.length);
    return readSync(descriptor, start) === HEADER.length && start.equals(HEADER);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Copies a database as of one moment by SQLite's online backup, page by page, while the app goes on: with a write-ahead log (`journal_mode =
 * WAL`) its writes do not wait, else they wait until the copy is made. As the file's owner, whose locks and logs stay theirs.
 *
 * @param to made in this directory, which must be of one's own.
 * @returns the copy.
 * @throws {Error} when the database is locked for too long.
 */
export async function copySqlite(file: string, to: string, signal: AbortSignal): Promise<string> {
  const { uid, gid } = statSync(file);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { mode: 0o700, recursive: true });
  chownSync(to, uid, gid);
  const copy = path.join(to, "copy.db");
  // In a transaction that reads, what others write meanwhile does not make the copy begin anew.
  await sqlite(
    file,
    `.timeout ${BUSY_MS}\nBEGIN;\nSELECT count(*) FROM sqlite_schema;\n.backup ${quoted(copy)}\nCOMMIT;\n`,
    { uid, gid },
    signal,
  );
  return copy;
}

/**
 * Looks whether a database is whole, and counts its rows.
 *
 * @throws {Error} when it is damaged.
 */
export async function inspectSqlite(file: string, signal: AbortSignal): Promise<Tables> {
  const { uid, gid } = statSync(file);
  const ask = async (sql: string) => (await sqlite(file, sql, { uid, gid }, signal)).trim();
  const found = await ask("PRAGMA integrity_check;\n");
  if (found !== "ok") throw new Error(`it is damaged: ${found.split("\n").slice(0, 3).join("; ")}`);
  const names = await ask(
    "SELECT '\"' || replace(name, '\"', '\"\"') || '\"' FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name;\n",
  );
  const tables: Tables = {};
  for (const name of names.split("\n").filter(Boolean)) {
    tables[name] = { rows: Number(await ask(`SELECT count(*) FROM ${name};\n`)) };
  }
  return tables;
}

function sqlite(
  file: string,
  script: string,
  as: Command["as"],
  signal: AbortSignal,
): Promise<string> {
  const command = ["sqlite3", "-batch", "-bail", "-init", "/dev/null", file] as const;
  return textOf({ command: [...command], as }, script, signal);
}

/** For a dot-command of sqlite3's. */
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

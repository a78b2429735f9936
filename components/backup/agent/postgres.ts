import { type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Access } from "./access";
import { start } from "./flow";
import type { Tables } from "./manifest";

export const quoted = (identifier: string) => `"${identifier.replaceAll('"', '""')}"`;
export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** What values look like as text: without it two servers would show the same row differently. */
export const SAME_TEXT = `SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex';
SET timezone = 'UTC'; SET row_security = off; SET search_path = ''; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;`;

/** One session of psql. */
export class Session {
  private readonly lines: AsyncIterator<string>;
  private asked = 0;

  private constructor(
    private readonly child: ChildProcess & { stdin: Writable; stdout: Readable },
    private readonly ended: Promise<void>,
  ) {
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stdin.on("error", () => undefined);
  }

  static open({ env, as }: Access, database: string): Session {
    const command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database] as const;
    const { child, ended } = start({ command: [...command], env, as });
    return new Session(child as ChildProcess & { stdin: Writable; stdout: Readable }, ended);
  }

  /** @returns what the statements print, a line for each row. @throws {ProgramFailed} with the server's words. */
  async ask(sql: string): Promise<string[]> {
    const marker = `archipelago ${++this.asked}`;
    this.child.stdin.write(`${sql};\n\\echo ${marker}\n`);
    const rows: string[] = [];
    for (;;) {
      const line = await this.lines.next();
      if (line.done === true) {
        await this.ended;
        throw new Error("psql ended early");
      }
      if (line.value === marker) return rows;
      rows.push(line.value);
    }
  }

  async close(): Promise<void> {
    this.child.stdin.end();
    await this.ended.catch(() => undefined);
  }

  kill(): void {
    this.child.kill();
  }
}

/** Asks one thing in a session of its own. */
export async function askOnce(access: Access, database: string, sql: string): Promise<string[]> {
  const session = Session.open(access, database);
  try {
    return await session.ask(sql);
  } finally {
    await session.close();
  }
}

/** Ordinary tables of users, extensions' own left out: those come back with the extension. */
export const TABLES = `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1`;

/** Opens a transaction that sees the database as it is now, whatever others do. @returns the snapshot's name. */
export async function freeze(session: Session): Promise<string> {
  await session.ask(SAME_TEXT);
  await session.ask("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  const [snapshot = ""] = await session.ask("SELECT pg_catalog.pg_export_snapshot()");
  return snapshot;
}

/** Names the hash in sums of today's backups; earlier ones have a number alone, by MD5, which takes several times as long. */
const HASH64 = "hash64:";

const SUM_HASH64 = `'${HASH64}' || coalesce(sum(pg_catalog.hashtextextended((t::text) COLLATE "C", 0)), 0)`;
const SUM_MD5 = "coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)";

/**
 * Rows of each table, and the sum of their hashes, which is the same in any order. In a session that `freeze` opened.
 *
 * @param like what they will be compared with: hashed in the same way.
 */
export async function countTables(session: Session, like: Tables = {}): Promise<Tables> {
  const tables: Tables = {};
  for (const name of await session.ask(TABLES)) {
    const isEarlier = like[name]?.sum?.startsWith(HASH64) === false;
    const sum = isEarlier ? SUM_MD5 : SUM_HASH64;
    const [line = ""] = await session.ask(`SELECT count(*), ${sum} FROM ONLY ${name} t`);
    const [rows = "", total = ""] = line.split("|");
    tables[name] = { rows: Number(rows), sum: total };
  }
  return tables;
}

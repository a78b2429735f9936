/** A backup's databases in any PostgreSQL server that the environment leads to. */
import type { Access } from "../../../components/backup/agent/access";
import { type Manifest, mustBeAsSaved, type Part } from "../../../components/backup/agent/manifest";
import { askOnce, literal, quoted } from "../../../components/backup/agent/postgres";
import { readInto } from "../../../components/backup/agent/read-part";
import { tablesOf } from "../../../components/backup/agent/restore";
import { Fault } from "../../../local/fault";
import type { Opened } from "./opened";

/** By libpq's variables and files alone: PGHOST, PGSERVICE, PGPASSFILE, … https://www.postgresql.org/docs/15/libpq-envars.html */
const ACCESS: Access = { env: { PGAPPNAME: "archipelago restore" } };

export interface RestoredDatabase {
  readonly name: string;
  readonly tables: number;
  readonly rows: number;
}

/** A database to make, and what of. */
export interface Wanted {
  readonly part: Part;
  /** Its name there. */
  readonly name: string;
}

/**
 * Makes new databases, which get their names once rows and sums of every table agree. Everything in them belongs to who makes them:
 * the roles of the server that was saved are not known there.
 *
 * @throws {Fault} when there is a database of that name: none is overwritten.
 */
export async function intoPostgres(
  opened: Opened,
  { id }: Manifest,
  wanted: readonly Wanted[],
  identity: string,
): Promise<RestoredDatabase[]> {
  await mustBeFree(wanted);
  const restored: RestoredDatabase[] = [];
  for (const { part, name } of wanted) {
    const beside = `${name}_restore_${id.toLowerCase()}`;
    const drop = () => admin(`DROP DATABASE IF EXISTS ${quoted(beside)} WITH (FORCE)`);
    // What an interrupted attempt left.
    await drop();
    await admin(`CREATE DATABASE ${quoted(beside)} TEMPLATE template0 ENCODING 'UTF8'`);
    try {
      const command = ["pg_restore", "--exit-on-error", "--no-owner", "--no-privileges"] as const;
      const to = { command: [...command, "-d", beside] as [string, ...string[]], ...ACCESS };
      await readInto(opened, { store: opened.store, id, identity }, part, to);
      opened.tell({ event: "begins", what: `rows and sums of ${name}` });
      const found = await tablesOf(ACCESS, beside, part.tables);
      mustBeAsSaved(part.tables ?? {}, found);
      await admin(`ALTER DATABASE ${quoted(beside)} RENAME TO ${quoted(name)}`);
      const tables = Object.values(found);
      const rows = tables.reduce((sum, table) => sum + table.rows, 0);
      restored.push({ name, tables: tables.length, rows });
    } catch (error) {
      await drop().catch(() => undefined);
      throw error;
    }
  }
  return restored;
}

/** @throws {Fault} when the server has one of the names already. */
export async function mustBeFree(wanted: readonly Wanted[]): Promise<void> {
  const names = wanted.map(({ name }) => literal(name)).join(", ");
  const [taken] = await admin(`SELECT datname FROM pg_database WHERE datname IN (${names})`);
  if (taken === undefined) return;
  throw new Fault(
    `The server has a database ${taken} already, and it stays as it is: --database and --into make one under another name.`,
  );
}

const admin = (sql: string) => askOnce(ACCESS, process.env.PGDATABASE ?? "postgres", sql);

/**
 * The rows' way into PostgreSQL: one transaction from the first table to the last check, so that whatever ends it leaves
 * the target as it was.
 */
import { Fault } from "../../../local/fault";
import { agree, type Checksum, readChecksum } from "../checksum";
import { identifier, literal } from "../names";
import type { Psql } from "../psql";
import { define } from "./ddl";
import { ROW_END, type SqliteFile } from "./file";
import { canonicalRow, printedRow } from "./kinds";
import type { TablePlan, TargetTable } from "./plan";
import type { Preflight, TargetTables } from "./preflight";
import { rowSumQuery } from "./row-hash";
import { Rows, wholeRows } from "./rows";

/** Held by whoever migrates into a database: two at a time would wait for each other's tables. */
const LOCK = 7_236_514;

/** Where a rehearsal happens. It never becomes visible to anybody else. */
const SCRATCH = "archipelago_rehearsal";

/** Bytes that are handed to psql at once. */
const CHUNK_BYTES = 256 * 1024;

export interface TableResult {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

export interface Progress {
  readonly table: string;
  /** What is done with it: `loading`, `verifying`, `indexes`. */
  readonly doing: string;
  /** Of all tables. */
  readonly rows: number;
  readonly bytes: number;
}

/** Settings that make PostgreSQL write values in one way. */
const SETTINGS = `SET LOCAL timezone TO 'UTC'; SET LOCAL DateStyle TO 'ISO, YMD'; SET LOCAL client_encoding TO 'UTF8';
SET LOCAL client_min_messages TO warning; SET LOCAL statement_timeout TO 0; SET LOCAL lock_timeout TO '10s';`;

/** Which of these tables the target has. @throws {Fault} when its encoding is not UTF-8. */
export async function readTarget(psql: Psql, names: readonly string[]): Promise<TargetTables> {
  const encoding = await psql.value("SHOW server_encoding;");
  if (encoding !== "UTF8") throw new Fault(`The target's encoding must be UTF8, got ${encoding}.`);
  const wanted = ["", ...names].map(literal).join(", ");
  const json = await psql.value(`
    SELECT json_object_agg(c.relname, (
      SELECT json_object_agg(a.attname, CASE WHEN a.attgenerated = '' THEN format_type(a.atttypid, a.atttypmod) END)
      FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN (${wanted});`);
  const found = (JSON.parse(json || "null") ?? {}) as Record<string, TargetTable>;
  const tables: Record<string, TargetTables[string]> = {};
  for (const [name, columns] of Object.entries(found)) {
    const rows = await psql.value(`SELECT count(*) FROM public.${identifier(name)};`);
    tables[name] = { columns, rows: Number(rows) };
  }
  return tables;
}

/**
 * Loads, verifies and indexes everything.
 *
 * @param rehearse does all of it beside the target's own tables, and takes it back.
 * @throws {Fault} when a table does not have the file's rows; {PsqlError} when PostgreSQL refuses something. Nothing is changed then.
 */
export async function load(
  file: SqliteFile,
  psql: Psql,
  { plans, counters }: Preflight,
  rehearse: boolean,
  onProgress: (progress: Progress) => void,
): Promise<TableResult[]> {
  await psql.run(`BEGIN; ${SETTINGS}`);
  if ((await psql.value(`SELECT pg_try_advisory_xact_lock(${LOCK});`)) !== "t") {
    throw new Fault("Another migration into this database is on its way: wait for its end.");
  }
  const existing = plans.filter(({ exists }) => exists);
  const links = await existingLinks(psql, existing);
  if (rehearse) await openScratch(psql, existing);
  else await emptyTables(psql, existing, links);
  const definitions = plans
    .filter(({ exists }) => !exists)
    .map((plan) =>
      define(
        plan,
        plans.map(({ table }) => table),
      ),
    );
  for (const { create } of definitions) await psql.run(create);

  const results: TableResult[] = [];
  const done = { rows: 0, bytes: 0 };
  for (const plan of plans) {
    const table = plan.table.name;
    const started = Date.now();
    const before = { ...done };
    const sent = await copyTable(file, psql, plan, (rows, bytes) => {
      done.rows = before.rows + rows;
      done.bytes = before.bytes + bytes;
      onProgress({ table, doing: "loading", ...done });
    });
    onProgress({ table, doing: "verifying", ...done });
    await verify(psql, plan, sent);
    const seconds = (Date.now() - started) / 1000;
    results.push({ table, rows: sent.rows, bytes: done.bytes - before.bytes, seconds });
  }
  const finish = definitions.flatMap((definition) => definition.finish);
  const linkAll = definitions.flatMap((definition) => definition.link);
  for (const statement of [...finish, ...linkAll, ...links.map(({ add }) => add)]) {
    onProgress({ table: "", doing: "indexes and keys", ...done });
    await psql.run(statement);
  }
  for (const { table } of plans) {
    for (const statement of countOn(table.name, counters[table.name])) await psql.run(statement);
    await psql.run(`ANALYZE ${identifier(table.name)};`);
  }
  if (!rehearse) {
    for (const { table } of existing) {
      await psql.run(`ALTER TABLE ${identifier(table.name)} ENABLE TRIGGER USER;`);
    }
  }
  await psql.run(rehearse ? "ROLLBACK;" : "COMMIT;");
  return results;
}

interface Link {
  readonly table: string;
  readonly name: string;
  readonly add: string;
}

/** Foreign keys from and to tables whose rows are replaced: they are checked at the end, whatever the order of the rows. */
async function existingLinks(psql: Psql, plans: readonly TablePlan[]): Promise<Link[]> {
  if (plans.length === 0) return [];
  const names = plans.map(
    ({ table }) => `${literal(`public.${identifier(table.name)}`)}::regclass`,
  );
  const [json = "[]"] = await psql.run(`SET LOCAL search_path TO public;
    SELECT coalesce(json_agg(json_build_object('table', conrelid::regclass::text, 'name', conname, 'definition', pg_get_constraintdef(oid))), '[]')
    FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
    AND (conrelid IN (${names.join(", ")}) OR confrelid IN (${names.join(", ")}));`);
  const found = JSON.parse(json) as { table: string; name: string; definition: string }[];
  return found.map(({ table, name, definition }) => ({
    table,
    name,
    add: `ALTER TABLE ${table} ADD CONSTRAINT ${identifier(name)} ${definition};`,
  }));
}

async function openScratch(psql: Psql, plans: readonly TablePlan[]): Promise<void> {
  await psql.run(`CREATE SCHEMA ${SCRATCH}; SET LOCAL search_path TO ${SCRATCH}, public;`);
  for (const { table } of plans) {
    const name = identifier(table.name);
    await psql.run(`CREATE TABLE ${SCRATCH}.${name} (LIKE public.${name} INCLUDING ALL);`);
  }
}

async function emptyTables(psql: Psql, plans: readonly TablePlan[], links: readonly Link[]) {
  await psql.run("SET LOCAL search_path TO public;");
  for (const { table, name } of links) {
    await psql.run(`ALTER TABLE ${table} DROP CONSTRAINT ${identifier(name)};`);
  }
  if (plans.length === 0) return;
  const names = plans.map(({ table }) => identifier(table.name));
  await psql.run(`TRUNCATE ${names.join(", ")};`);
  for (const name of names) await psql.run(`ALTER TABLE ${name} DISABLE TRIGGER USER;`);
}

async function copyTable(
  file: SqliteFile,
  psql: Psql,
  { table, columns }: TablePlan,
  onRows: (rows: number, bytes: number) => void,
): Promise<Checksum> {
  const rows = new Rows(columns);
  if (columns.length === 0) return rows.sum;
  const name = identifier(table.name);
  const names = columns.map((column) => identifier(column.name)).join(", ");
  await psql.write(`COPY ${name} (${names}) FROM STDIN WITH (FREEZE);\n`);
  let bytes = 0;
  await file.values(`SELECT ${printedRow(columns)} FROM ${name}`, async (stdout) => {
    let parts: Buffer[] = [];
    let size = 0;
    const send = async () => {
      if (size === 0) return;
      bytes += size;
      const whole = Buffer.concat(parts, size);
      parts = [];
      size = 0;
      await psql.write(whole);
      onRows(rows.sum.rows, bytes);
    };
    for await (const values of wholeRows(stdout, ROW_END)) {
      const part = rows.take(values);
      parts.push(part);
      size += part.length;
      if (size >= CHUNK_BYTES) await send();
    }
    await send();
  });
  await psql.run("\\.");
  return rows.sum;
}

async function verify(psql: Psql, { table, columns }: TablePlan, sent: Checksum): Promise<void> {
  if (columns.length === 0) return;
  const query = rowSumQuery(identifier(table.name), canonicalRow(columns));
  const found = readChecksum(await psql.value(`${query};`));
  if (agree(found, sent)) return;
  const what =
    found.rows === sent.rows
      ? `has ${found.rows} rows, of which some are not what the file has`
      : `has ${found.rows} rows, and the file ${sent.rows}`;
  throw new Fault(`The table ${table.name} ${what}. Nothing was changed.`);
}

/** The next row gets a number that none ever had. */
function countOn(table: string, last = "0"): string[] {
  const name = identifier(table);
  return [
    `SELECT format('SELECT setval(%L, greatest(max(%I), %L, 1), greatest(max(%I), %L) > 0) FROM %s', s, attname, ${literal(last)}, attname, ${literal(last)}, ${literal(name)})
     FROM pg_attribute, pg_get_serial_sequence(${literal(name)}, attname) s
     WHERE attrelid = ${literal(name)}::regclass AND attnum > 0 AND NOT attisdropped AND s IS NOT NULL \\gexec`,
  ];
}

/** Looks at everything before anything is changed: what will be carried over, and what cannot be. */
import { identifier } from "../names";
import { define, NAME_BYTES } from "./ddl";
import type { SqliteFile } from "./file";
import {
  type Finding,
  frameworkOf,
  planTable,
  type TablePlan,
  type TargetTable,
  type Wishes,
} from "./plan";
import { badTexts, profileTable } from "./profile";
import { readSchema, type Schema, type Table } from "./schema";

export interface Preflight {
  readonly plans: readonly TablePlan[];
  /** Last numbers given to rows of AUTOINCREMENT tables, by table. */
  readonly counters: Readonly<Record<string, string>>;
  /** Why it must not start. */
  readonly faults: readonly Finding[];
  /** What will be otherwise than it was. */
  readonly notes: readonly Finding[];
}

export interface Choices {
  readonly wishes: Wishes;
  /** Tables to leave out. */
  readonly without: readonly string[];
  /** Rows of tables that the target has may be replaced. */
  readonly replace: boolean;
}

/** Tables of the target, by name, with how many rows they have. */
export type TargetTables = Readonly<
  Record<string, { readonly columns: TargetTable; readonly rows: number }>
>;

export async function preflight(
  file: SqliteFile,
  lookAt: (tables: readonly string[]) => Promise<TargetTables>,
  { wishes, without, replace }: Choices,
  say: (what: string) => void,
): Promise<Preflight> {
  const schema = await readSchema(file);
  const framework = frameworkOf(schema);
  const tables = schema.tables.filter(({ name }) => !without.includes(name));
  const target = await lookAt(tables.map(({ name }) => name));
  const faults = [...(await schemaFaults(file, schema, without)), ...wishFaults(tables, wishes)];
  const notes: Finding[] = [
    ...schema.views.map((at) => ({ at, says: "is a view: it is not carried over" })),
    ...schema.triggers.map((at) => ({ at, says: "is a trigger: it is not carried over" })),
    ...without.map((at) => ({ at, says: "is left out, as asked" })),
  ];
  const plans: TablePlan[] = [];
  for (const table of tables) {
    say(table.name);
    const there = target[table.name];
    const isWished = (column: string) =>
      there !== undefined || wishes[`${table.name}.${column}`] !== undefined;
    const [profile, bad] = await Promise.all([
      profileTable(file, table, isWished),
      badTexts(file, table),
    ]);
    if (there && !replace) {
      const says = `is in the target already, with ${there.rows} rows: --replace puts the file's rows in their place, and keeps its definition`;
      faults.push({ at: table.name, says });
    }
    const planned = planTable(table, profile, framework, wishes, there?.columns);
    for (const { row, column } of bad) {
      const says = `is not UTF-8${row && ` in the row with ${row}`}: mend it`;
      planned.faults.push({ at: `${table.name}.${column}`, says });
    }
    for (const { name, keyPlace } of table.columns) {
      const nulls = profile.columns[name]?.nulls ?? 0;
      if (keyPlace > 0 && nulls > 0) {
        planned.faults.push({ at: `${table.name}.${name}`, says: `${nulls} rows have no key` });
      }
    }
    faults.push(...planned.faults);
    notes.push(...planned.notes, ...(there ? [] : define(planned.plan, tables).notes));
    plans.push(planned.plan);
  }
  return { plans, faults, notes, counters: await countersOf(file) };
}

async function schemaFaults(
  file: SqliteFile,
  schema: Schema,
  without: readonly string[],
): Promise<Finding[]> {
  const faults = schema.virtualTables
    .filter((name) => !without.includes(name))
    .map((at) => ({
      at,
      says: `is a virtual table, which only SQLite can read: leave it out with --without ${at}`,
    }));
  for (const { name, columns } of schema.tables) {
    for (const long of [name, ...columns.map((column) => column.name)]) {
      if (Buffer.byteLength(long) > NAME_BYTES) {
        faults.push({ at: long, says: `is a name of more than ${NAME_BYTES} bytes` });
      }
    }
  }
  const orphans = await file.rows<{ tbl: string; parent: string; count: number }>(
    `SELECT "table" AS tbl, parent, count(*) AS count FROM pragma_foreign_key_check GROUP BY 1, 2`,
  );
  for (const { tbl, parent, count } of orphans) {
    if (without.includes(tbl)) continue;
    faults.push({
      at: tbl,
      says: `${count} rows refer to rows of ${parent} that are not there: mend or delete them`,
    });
  }
  return faults;
}

function wishFaults(tables: readonly Table[], wishes: Wishes): Finding[] {
  const known = new Set(
    tables.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`)),
  );
  return Object.keys(wishes)
    .filter((at) => !known.has(at))
    .map((at) => ({ at, says: "is asked for by --as, and is no column of the file" }));
}

async function countersOf(file: SqliteFile): Promise<Record<string, string>> {
  const has = await file.rows("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'");
  if (has.length === 0) return {};
  const rows = await file.rows<{ name: string; last: string }>(
    `SELECT name, CAST(seq AS TEXT) AS last FROM ${identifier("sqlite_sequence")} WHERE seq IS NOT NULL`,
  );
  return Object.fromEntries(rows.map(({ name, last }) => [name, last]));
}

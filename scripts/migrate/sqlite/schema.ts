/** What a SQLite file is made of. */
import type { SqliteFile } from "./file";

export interface Column {
  readonly name: string;
  /** As declared, lower case; "" when nothing was. */
  readonly declared: string;
  readonly notNull: boolean;
  /** SQL of its default. */
  readonly defaultSql: string | undefined;
  /** Place in the primary key, from 1; 0 = not in it. */
  readonly keyPlace: number;
  readonly generated: boolean;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  /** By a constraint of the table, not by CREATE INDEX. */
  readonly ofConstraint: boolean;
  readonly columns: readonly {
    /** Absent for an expression. */
    readonly name: string | undefined;
    readonly descending: boolean;
    readonly collation: string;
  }[];
  /** SQL after WHERE. */
  readonly where: string | undefined;
}

export interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
  /** Empty = the primary key of that table. */
  readonly references: readonly string[];
  readonly onUpdate: string;
  readonly onDelete: string;
  readonly deferred: boolean;
}

export interface Table {
  readonly name: string;
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly withoutRowid: boolean;
}

export interface Schema {
  readonly tables: readonly Table[];
  readonly views: readonly string[];
  readonly triggers: readonly string[];
  /** Full-text search and its kin; what they keep is in tables of their own, which are not listed. */
  readonly virtualTables: readonly string[];
}

/** Primary keys of one INTEGER column are the row's own number, and count up. */
export function rowNumberColumn({ columns, withoutRowid }: Table): Column | undefined {
  const key = columns.filter(({ keyPlace }) => keyPlace > 0);
  const [only] = key;
  return key.length === 1 && only?.declared === "integer" && !withoutRowid ? only : undefined;
}

/** How a row is named to a person, and found again. */
export const rowName = ({ withoutRowid }: Table) => (withoutRowid ? "NULL" : "rowid");

const OWN = "m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

interface TableRow {
  readonly name: string;
  readonly type: string;
  readonly wr: number;
  readonly sql: string | null;
}

/** @throws {Fault} when the file cannot be read. */
export async function readSchema(file: SqliteFile): Promise<Schema> {
  const all = await file.rows<TableRow>(
    `SELECT l.name, l.type, l.wr, m.sql FROM pragma_table_list l JOIN sqlite_master m ON m.name = l.name
     WHERE l.schema = 'main' AND ${OWN} ORDER BY m.rowid`,
  );
  const columns = await file.rows<ColumnRow>(
    `SELECT m.name AS tbl, x.* FROM sqlite_master m, pragma_table_xinfo(m.name) x
     WHERE m.type = 'table' AND ${OWN} ORDER BY m.name, x.cid`,
  );
  const indexes = await file.rows<IndexRow>(
    `SELECT m.name AS tbl, l.name AS idx, l."unique" AS uniq, l.origin, l.partial, i.sql, x.name AS col, x."desc", x.coll
     FROM sqlite_master m, pragma_index_list(m.name) l, pragma_index_xinfo(l.name) x
     LEFT JOIN sqlite_master i ON i.type = 'index' AND i.name = l.name
     WHERE m.type = 'table' AND x.key = 1 AND ${OWN} ORDER BY m.name, l.seq DESC, x.seqno`,
  );
  const keys = await file.rows<KeyRow>(
    `SELECT m.name AS tbl, f.*, m.sql FROM sqlite_master m, pragma_foreign_key_list(m.name) f
     WHERE m.type = 'table' AND ${OWN} ORDER BY m.name, f.id, f.seq`,
  );
  const triggers = await file.rows<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
  );
  const names = (type: string) => all.filter((one) => one.type === type).map(({ name }) => name);
  return {
    tables: all
      .filter(({ type }) => type === "table")
      .map(({ name, wr, sql }) => ({
        name,
        sql: sql ?? "",
        withoutRowid: wr === 1,
        columns: columns.filter(({ tbl }) => tbl === name).map(toColumn),
        indexes: toIndexes(indexes.filter(({ tbl }) => tbl === name)),
        foreignKeys: toForeignKeys(keys.filter(({ tbl }) => tbl === name)),
      })),
    views: names("view"),
    virtualTables: names("virtual"),
    triggers: triggers.map(({ name }) => name),
  };
}

interface ColumnRow {
  readonly tbl: string;
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly dflt_value: string | null;
  readonly pk: number;
  /** 2 and 3: generated. https://www.sqlite.org/pragma.html#pragma_table_xinfo */
  readonly hidden: number;
}

const toColumn = (row: ColumnRow): Column => ({
  name: row.name,
  declared: row.type.toLowerCase().trim(),
  notNull: row.notnull === 1,
  defaultSql: row.dflt_value ?? undefined,
  keyPlace: row.pk,
  generated: row.hidden > 1,
});

interface IndexRow {
  readonly tbl: string;
  readonly idx: string;
  readonly uniq: number;
  /** `c`: CREATE INDEX, `u`: UNIQUE, `pk`: PRIMARY KEY. */
  readonly origin: string;
  readonly partial: number;
  readonly sql: string | null;
  readonly col: string | null;
  readonly desc: number;
  readonly coll: string;
}

function toIndexes(rows: readonly IndexRow[]): Index[] {
  const names = [...new Set(rows.filter(({ origin }) => origin !== "pk").map(({ idx }) => idx))];
  return names.map((name) => {
    const own = rows.filter(({ idx }) => idx === name);
    const [first] = own;
    return {
      name,
      unique: first?.uniq === 1,
      ofConstraint: first?.origin !== "c",
      columns: own.map(({ col, desc, coll }) => ({
        name: col ?? undefined,
        descending: desc === 1,
        collation: coll,
      })),
      where:
        first?.partial === 1
          ? /\bwhere\b([\s\S]*)$/i.exec(first.sql ?? "")?.[1]?.trim()
          : undefined,
    };
  });
}

interface KeyRow {
  readonly tbl: string;
  readonly id: number;
  readonly table: string;
  readonly from: string;
  readonly to: string | null;
  readonly on_update: string;
  readonly on_delete: string;
  readonly sql: string;
}

function toForeignKeys(rows: readonly KeyRow[]): ForeignKey[] {
  const ids = [...new Set(rows.map(({ id }) => id))].sort((a, b) => a - b);
  return ids.flatMap((id) => {
    const own = rows.filter((row) => row.id === id);
    const [first] = own;
    if (!first) return [];
    return {
      columns: own.map(({ from }) => from),
      table: first.table,
      references: own.flatMap(({ to }) => to ?? []),
      onUpdate: first.on_update,
      onDelete: first.on_delete,
      // The PRAGMA does not say: frameworks defer all of a table's keys, or none.
      deferred: /deferrable\s+initially\s+deferred/i.test(first.sql),
    };
  });
}

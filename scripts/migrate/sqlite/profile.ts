/** What values a table has: SQLite lets any value into any column, whatever was declared. */
import { isUtf8 } from "node:buffer";
import { identifier } from "../names";
import type { SqliteFile } from "./file";
import { FALSE_WORDS, TRUE_WORDS } from "./kinds";
import { type Column, rowName, type Table } from "./schema";

/** Counts of a column's values, of all kinds together those that are not NULL. */
export interface ColumnProfile {
  readonly nulls: number;
  readonly integers: number;
  readonly reals: number;
  readonly texts: number;
  readonly blobs: number;
  /** Characters of the longest text. */
  readonly longest: number;
  /** Texts with a NUL, which PostgreSQL's text cannot hold. */
  readonly nuls: number;
  readonly booleans: number;
  /** Texts that are a day and a time, with or without an offset. */
  readonly times: number;
  /** Of those, the ones with an offset. */
  readonly zoned: number;
  /** Of those, the ones with more than six digits behind the second. */
  readonly tooFine: number;
  readonly days: number;
  readonly clockTimes: number;
  readonly uuids: number;
  readonly json: number;
  /** Texts that are numbers. */
  readonly numbers: number;
  /** Numbers that have more digits behind the point than declared. */
  readonly rounded: number;
  /** Integers beyond 16 bits, and beyond 32. */
  readonly beyond16: number;
  readonly beyond32: number;
}

export interface TableProfile {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnProfile>>;
}

const digits = (count: number) => "[0-9]".repeat(count);
const DAY = `${digits(4)}-${digits(2)}-${digits(2)}`;
const CLOCK = `${digits(2)}:${digits(2)}`;

/**
 * One pass through the table.
 *
 * @param isWished of a column whose type will not be chosen by what was declared: everything is counted there.
 */
export async function profileTable(
  file: SqliteFile,
  table: Table,
  isWished: (column: string) => boolean,
): Promise<TableProfile> {
  const columns = table.columns.map((column, index) => {
    const x = identifier(column.name);
    const all = counters(x, digitsBehindPoint(column.declared));
    const wanted = isWished(column.name) ? Object.keys(all) : needed(column, table);
    const counts = Object.entries(all).filter(([name]) => wanted.includes(name));
    return counts.map(([name, sql]) => `${sql} AS "${index} ${name}"`).join(", ");
  });
  const sql = `SELECT count(*) AS "rows", ${columns.join(", ")} FROM ${identifier(table.name)}`;
  const [row = {}] = await file.rows<Record<string, number | null>>(sql);
  return {
    rows: row.rows ?? 0,
    columns: Object.fromEntries(
      table.columns.map(({ name }, index) => [
        name,
        Object.fromEntries(
          Object.keys(counters("", undefined)).map((key) => [key, row[`${index} ${key}`] ?? 0]),
        ) as unknown as ColumnProfile,
      ]),
    ),
  };
}

const ALWAYS = ["nulls", "integers", "reals", "texts", "blobs", "longest", "nuls", "rounded"];
const TIMES = ["times", "zoned", "tooFine", "days", "clockTimes"];

/** What is worth counting for a declared type: each count is looked at for every row. */
function needed({ declared, defaultSql }: Column, { sql }: Table): string[] {
  return [
    ...ALWAYS,
    ...(/date|time/.test(declared) || /time|date|now/i.test(defaultSql ?? "") ? TIMES : []),
    ...(/bool|tinyint|bit/.test(declared) ? ["booleans"] : []),
    ...(/uuid|guid|char\(32\)/.test(declared) ? ["uuids"] : []),
    ...(/json/i.test(`${declared} ${sql}`) ? ["json"] : []),
    ...(/dec|num|money/.test(declared) ? ["numbers"] : []),
  ];
}

function counters(x: string, scale: number | undefined): Record<keyof ColumnProfile, string> {
  const count = (condition: string) => `sum(${condition})`;
  const isText = `typeof(${x}) = 'text'`;
  // SQLite takes 31 February for 2 March.
  const day = `substr(${x}, 1, 10)`;
  const isDay = `date(${day}, '+0 days') = ${day}`;
  const isTime = `${isText} AND (${x} GLOB '${DAY}[ T]${CLOCK}*' AND datetime(${x}) IS NOT NULL AND ${isDay})`;
  const lower = `lower(CAST(${x} AS TEXT))`;
  return {
    nulls: count(`${x} IS NULL`),
    integers: count(`typeof(${x}) = 'integer'`),
    reals: count(`typeof(${x}) = 'real'`),
    texts: count(isText),
    blobs: count(`typeof(${x}) = 'blob'`),
    longest: `max(CASE WHEN ${isText} THEN length(${x}) END)`,
    nuls: count(`${isText} AND instr(CAST(${x} AS BLOB), x'00') > 0`),
    booleans: count(`${lower} IN ${TRUE_WORDS} OR ${lower} IN ${FALSE_WORDS}`),
    times: count(isTime),
    zoned: count(`${isTime} AND substr(${x}, 17) GLOB '*[Zz+-]*'`),
    tooFine: count(`${isTime} AND ${x} GLOB '*.${digits(7)}*'`),
    days: count(`${isText} AND ${x} GLOB '${DAY}' AND ${isDay}`),
    clockTimes: count(`${isText} AND ${x} GLOB '${CLOCK}*' AND time(${x}) IS NOT NULL`),
    uuids: count(
      `${isText} AND length(replace(${x}, '-', '')) = 32 AND replace(${x}, '-', '') NOT GLOB '*[^0-9a-fA-F]*'`,
    ),
    json: count(`${isText} AND json_valid(${x})`),
    numbers: count(
      `${isText} AND ${x} GLOB '*[0-9]*' AND ltrim(${x}, '-+') NOT GLOB '*[^0-9.]*' AND ${x} NOT GLOB '*.*.*'`,
    ),
    beyond16: count(`typeof(${x}) = 'integer' AND ${x} NOT BETWEEN -32768 AND 32767`),
    beyond32: count(`typeof(${x}) = 'integer' AND ${x} NOT BETWEEN -2147483648 AND 2147483647`),
    rounded:
      scale === undefined
        ? "0"
        : count(
            `typeof(${x}) = 'real' AND abs(round(${x}, ${scale}) - ${x}) > 1e-9 * max(1, abs(${x}))`,
          ),
  };
}

/** `decimal(10, 2)` → 2, `decimal(10)` → 0; undefined where no number of digits is declared. */
export function digitsBehindPoint(declared: string): number | undefined {
  const found = /^(?:dec|num)\w*\s*\(\s*\d+\s*(?:,\s*(\d+)\s*)?\)/.exec(declared);
  return found ? Number(found[1] ?? 0) : undefined;
}

export interface BadText {
  /** `rowid 12`; empty for a table without numbers of rows. */
  readonly row: string;
  readonly column: string;
}

/** Most texts that are named; a person looks at a few. */
const NAMED = 5;

/** Texts that are not UTF-8, the first few. Whole tables are looked at, at the speed of the disk. */
export async function badTexts(
  file: SqliteFile,
  table: Table,
  profile: TableProfile,
): Promise<BadText[]> {
  const columns = table.columns.filter(({ name }) => (profile.columns[name]?.texts ?? 0) > 0);
  if (columns.length === 0) return [];
  const texts = columns.map(({ name }) => textOnly(identifier(name)));
  const from = `FROM ${identifier(table.name)}`;
  let clean = true;
  await file.stream(`SELECT ${texts.join(", ")} ${from}`, async (stdout) => {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of stdout) {
      const all = Buffer.concat([rest, chunk as Buffer]);
      // Cut where no character can be cut.
      const end = all.lastIndexOf(10) + 1;
      clean &&= isUtf8(all.subarray(0, end));
      rest = all.subarray(end);
    }
    clean &&= isUtf8(rest);
  });
  if (clean) return [];
  const found: BadText[] = [];
  const hex = columns.map(({ name }) => `hex(${textOnly(identifier(name))})`);
  await file.stream(`SELECT ${[rowName(table), ...hex].join(", ")} ${from}`, async (stdout) => {
    let rest = "";
    for await (const chunk of stdout) {
      const lines = (rest + (chunk as Buffer).toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [number = "", ...values] = line.split("\t");
        values.forEach((value, index) => {
          if (found.length >= NAMED || isUtf8(Buffer.from(value, "hex"))) return;
          const row = number ? `rowid ${number}` : "";
          found.push({ row, column: columns[index]?.name ?? "" });
        });
      }
    }
  });
  return found;
}

const textOnly = (x: string) => `CASE WHEN typeof(${x}) = 'text' THEN ${x} END`;

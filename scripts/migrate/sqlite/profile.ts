/** What values a table has: SQLite lets any value into any column, whatever was declared. */
import { isUtf8 } from "node:buffer";
import { identifier } from "../names";
import type { SqliteFile } from "./file";
import { FALSE_WORDS, TRUE_WORDS } from "./kinds";
import { LINE_END, wholeRows } from "./rows";
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

/** What is counted in SQL; NULLs are the others. */
type Count = Exclude<keyof ColumnProfile, "nulls">;
type Counts = Readonly<Partial<Record<Count, number>>>;

const TYPES = ["integers", "reals", "texts", "blobs"] as const;
const TIMES = ["times", "zoned", "tooFine", "days", "clockTimes"] as const;

/**
 * One pass through the table, and another one for columns that hold other types than their declarations make likely.
 *
 * @param isWished of a column whose type will not be chosen by what was declared: everything is counted there.
 */
export async function profileTable(
  file: SqliteFile,
  table: Table,
  isWished: (column: string) => boolean,
): Promise<TableProfile> {
  const first = await countIn(file, table, table.columns, (column) =>
    isWished(column.name) ? ALL : [likelyType(column), ...needed(column, table)],
  );
  const filled = (counts: Counts = {}) => TYPES.reduce((sum, type) => sum + (counts[type] ?? 0), 0);
  const odd = table.columns.filter(
    ({ name }) => filled(first.counts[name]) !== first.present[name],
  );
  const second =
    odd.length > 0 ? await countIn(file, table, odd, () => [...TYPES, "nuls"]) : undefined;
  const none = Object.fromEntries(ALL.map((count) => [count, 0])) as Record<Count, number>;
  return {
    rows: first.rows,
    columns: Object.fromEntries(
      table.columns.map(({ name }) => {
        const nulls = first.rows - (first.present[name] ?? 0);
        return [name, { ...none, ...first.counts[name], ...second?.counts[name], nulls }];
      }),
    ),
  };
}

interface Counted {
  readonly rows: number;
  /** Values that are not NULL, by column. */
  readonly present: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, Counts>>;
}

async function countIn(
  file: SqliteFile,
  { name: table }: Table,
  columns: readonly Column[],
  wanted: (column: Column) => readonly Count[],
): Promise<Counted> {
  const asked = columns.map((column, place) => {
    const x = identifier(column.name);
    const all = counters(x, digitsBehindPoint(column.declared));
    const counts = [...new Set(wanted(column))];
    const sql = counts.map((count) => `${all[count]} AS "${place} ${count}"`);
    return { name: column.name, counts, sql: [`count(${x}) AS "${place}"`, ...sql].join(", ") };
  });
  const [row = {}] = await file.rows<Record<string, number | null>>(
    `SELECT count(*) AS "rows", ${asked.map(({ sql }) => sql).join(", ")} FROM ${identifier(table)}`,
  );
  const counts = asked.map(({ name, counts }, place) => [
    name,
    Object.fromEntries(counts.map((count) => [count, row[`${place} ${count}`] ?? 0])),
  ]);
  return {
    rows: row.rows ?? 0,
    present: Object.fromEntries(asked.map(({ name }, place) => [name, row[`${place}`] ?? 0])),
    counts: Object.fromEntries(counts) as Record<string, Counts>,
  };
}

function likelyType({ declared }: Column): (typeof TYPES)[number] {
  if (/int|serial|bool|^bit/.test(declared)) return "integers";
  if (/real|floa|doub|dec|num|money/.test(declared)) return "reals";
  return /blob|binary|bytea/.test(declared) ? "blobs" : "texts";
}

/** What is worth counting for a declared type: each count is looked at for every row. */
function needed(column: Column, { sql }: Table): Count[] {
  const { declared, defaultSql } = column;
  return [
    "rounded",
    ...(likelyType(column) === "texts" ? (["nuls"] as const) : []),
    ...(/date|time/.test(declared) || /time|date|now/i.test(defaultSql ?? "") ? TIMES : []),
    ...(/bool|tinyint|bit/.test(declared) ? (["booleans"] as const) : []),
    ...(/uuid|guid|char\(32\)/.test(declared) ? (["uuids"] as const) : []),
    ...(/json/i.test(`${declared} ${sql}`) ? (["json"] as const) : []),
    ...(/dec|num|money/.test(declared) ? (["numbers"] as const) : []),
    ...(/char.*\(/.test(declared) ? (["longest"] as const) : []),
  ];
}

/** In each condition, what costs least and decides most is first: the rest of it is not looked at then. */
function counters(x: string, scale: number | undefined): Record<Count, string> {
  const count = (condition: string) => `count(*) FILTER (WHERE ${condition})`;
  const isText = `typeof(${x}) = 'text'`;
  // SQLite takes 31 February for 2 March.
  const day = `substr(${x}, 1, 10)`;
  const isDay = `date(${day}, '+0 days') = ${day}`;
  // Nearly all of them are what SQLite itself would write.
  const isPlainTime = `length(${x}) = 19 AND datetime(${x}, '+0 days') = ${x}`;
  const isTime = `${isText} AND (${isPlainTime} OR ${x} GLOB '${DAY}[ T]${CLOCK}*' AND datetime(${x}) IS NOT NULL AND ${isDay})`;
  const lower = `lower(CAST(${x} AS TEXT))`;
  const bytes = `CAST(${x} AS BLOB)`;
  return {
    integers: count(`typeof(${x}) = 'integer'`),
    reals: count(`typeof(${x}) = 'real'`),
    texts: count(isText),
    blobs: count(`typeof(${x}) = 'blob'`),
    longest: `max(CASE WHEN ${isText} THEN length(${x}) END)`,
    // A text's length ends at its first NUL.
    nuls: count(`${isText} AND length(${x}) <> length(${bytes}) AND instr(${bytes}, x'00') > 0`),
    booleans: count(`${lower} IN ${TRUE_WORDS} OR ${lower} IN ${FALSE_WORDS}`),
    times: count(isTime),
    zoned: count(`length(${x}) > 16 AND substr(${x}, 17) GLOB '*[Zz+-]*' AND ${isTime}`),
    tooFine: count(`length(${x}) > 26 AND ${x} GLOB '*.${digits(7)}*' AND ${isTime}`),
    days: count(`length(${x}) = 10 AND ${isText} AND ${x} GLOB '${DAY}' AND ${isDay}`),
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

const ALL = Object.keys(counters("", undefined)) as Count[];

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
export async function badTexts(file: SqliteFile, table: Table): Promise<BadText[]> {
  const { columns } = table;
  const texts = columns.map(({ name }) => textOnly(identifier(name)));
  const from = `FROM ${identifier(table.name)}`;
  let clean = true;
  await file.lines(`SELECT ${texts.join(", ")} ${from}`, async (stdout) => {
    for await (const lines of wholeRows(stdout, LINE_END)) clean &&= isUtf8(lines);
  });
  if (clean) return [];
  const found: BadText[] = [];
  const hex = columns.map(({ name }) => `hex(${textOnly(identifier(name))})`);
  await file.lines(`SELECT ${[rowName(table), ...hex].join(", ")} ${from}`, async (stdout) => {
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

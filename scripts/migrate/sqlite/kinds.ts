/** How a value of each kind crosses: as SQLite prints it, and as PostgreSQL writes it for the checksum. */
import { identifier } from "../names";

/** Groups of PostgreSQL types whose values are written alike. */
export type Kind =
  | "text"
  | "integer"
  | "boolean"
  | "float"
  | "numeric"
  | "timestamp"
  | "timestamptz"
  | "date"
  | "time"
  | "bytea"
  | "json"
  | "jsonb"
  | "uuid";

export interface Crossing {
  readonly name: string;
  readonly kind: Kind;
  /** PostgreSQL's type, e.g. `varchar(20)`. */
  readonly type: string;
  /** Digits behind the point of a numeric that has a fixed number of them. */
  readonly scale?: number | undefined;
  /** Its values are numbers of seconds since 1970. */
  readonly epoch?: boolean | undefined;
}

/** COPY's text for NULL. */
export const NULL = "\\N";

/** What SQLite, and what people's programs, write for true. */
export const TRUE_WORDS = "('1', 't', 'true', 'y', 'yes', 'on')";
export const FALSE_WORDS = "('0', 'f', 'false', 'n', 'no', 'off', '')";

/** SQLite's SQL for what is printed of a row. A text is printed as it is. */
export const printedRow = (columns: readonly Crossing[]) => columns.map(printedField).join(", ");

function printedField({ name, kind, scale, epoch }: Crossing): string {
  const x = identifier(name);
  const unlessNull = (sql: string) => `CASE WHEN ${x} IS NOT NULL THEN ${sql} END`;
  switch (kind) {
    case "boolean":
      return unlessNull(
        `CASE WHEN lower(CAST(${x} AS TEXT)) IN ${TRUE_WORDS} THEN 't' ELSE 'f' END`,
      );
    case "float":
      return unlessNull(`printf('%!.17g', ${x})`);
    case "numeric": {
      const shortest = `CASE WHEN CAST(printf('%!.15g', ${x}) AS REAL) = ${x} THEN printf('%!.15g', ${x}) ELSE printf('%!.17g', ${x}) END`;
      const real = scale === undefined ? shortest : `printf('%.${scale}f', ${x})`;
      return unlessNull(`CASE typeof(${x}) WHEN 'real' THEN ${real} ELSE CAST(${x} AS TEXT) END`);
    }
    case "timestamp":
    case "timestamptz":
      return epoch ? `strftime('%Y-%m-%d %H:%M:%S', ${x}, 'unixepoch')` : x;
    case "bytea":
      return unlessNull(`'\\x' || lower(hex(${x}))`);
    case "integer":
    case "date":
    case "time":
    case "uuid":
    case "text":
    case "json":
    case "jsonb":
      return x;
  }
}

/** Arguments that a function of PostgreSQL may have. https://www.postgresql.org/docs/15/runtime-config-preset.html */
const ARGUMENTS = 100;

/**
 * PostgreSQL's SQL for a row's canonical text, which is COPY's where that is unambiguous. Needs `DateStyle = ISO`, and the database in
 * UTF-8.
 */
export function canonicalRow(columns: readonly Crossing[]): string {
  const fields = columns.map((column) => `coalesce(${canonicalField(column)}, '${NULL}')`);
  // In one go: a chain of || copies the row once a column.
  const joined = (parts: readonly string[]) => `concat_ws(chr(9), ${parts.join(", ")})`;
  const groups: string[] = [];
  for (let at = 0; at < fields.length; at += ARGUMENTS - 1) {
    groups.push(joined(fields.slice(at, at + ARGUMENTS - 1)));
  }
  return groups.length === 1 ? (groups[0] ?? "") : joined(groups);
}

function canonicalField({ name, kind, scale }: Crossing): string {
  const x = identifier(name);
  switch (kind) {
    case "integer":
      return `${x}::text`;
    case "boolean":
      return `CASE WHEN ${x} THEN 't' WHEN NOT ${x} THEN 'f' END`;
    case "float":
      return `encode(float8send(${x}::float8), 'hex')`;
    case "numeric":
      return scale === undefined
        ? `encode(float8send(${x}::float8), 'hex')`
        : `trim_scale(${x})::text`;
    case "timestamp":
      return `to_char(${x}, 'YYYY-MM-DD HH24:MI:SS.US')`;
    case "timestamptz":
      return `to_char(${x} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;
    case "date":
      return `${x}::text`;
    case "time":
      return `to_char(${x}::interval, 'HH24:MI:SS.US')`;
    case "bytea":
      return `'\\\\x' || encode(${x}, 'hex')`;
    case "uuid":
      return `replace(${x}::text, '-', '')`;
    case "text":
    case "json":
    case "jsonb":
      return ESCAPES.reduce((text, [from, to]) => `replace(${text}, ${from}, ${to})`, `${x}::text`);
  }
}

/** As COPY does it. */
const ESCAPES = [
  ["'\\'", "'\\\\'"],
  ["chr(9)", "'\\t'"],
  ["chr(10)", "'\\n'"],
  ["chr(13)", "'\\r'"],
] as const;

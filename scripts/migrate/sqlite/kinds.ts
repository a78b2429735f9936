/**
 * How a value of each kind crosses: as SQLite prints it for COPY, and as both sides write it for the checksum. The checksum's
 * text is COPY's where that is unambiguous.
 */
import { identifier } from "../names";
import { jsonbText } from "./jsonb-text";

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
const NULL = "\\N";

/** What SQLite, and what people's programs, write for true. */
export const TRUE_WORDS = "('1', 't', 'true', 'y', 'yes', 'on')";
export const FALSE_WORDS = "('0', 'f', 'false', 'n', 'no', 'off', '')";

const ESCAPES = [
  ["'\\'", "'\\\\'"],
  ["char(9)", "'\\t'"],
  ["char(10)", "'\\n'"],
  ["char(13)", "'\\r'"],
] as const;

const escaped = (sql: string, chr: string) =>
  ESCAPES.reduce(
    (text, [from, to]) => `replace(${text}, ${from.replace("char", chr)}, ${to})`,
    sql,
  );

/** SQLite's SQL for a row as COPY reads it: columns separated by tabs. */
export const copyRow = (columns: readonly Crossing[]) =>
  columns.map((column) => `coalesce(${copyField(column)}, '${NULL}')`).join(" || char(9) || ");

function copyField({ name, kind, scale, epoch }: Crossing): string {
  const x = identifier(name);
  const unlessNull = (sql: string) => `CASE WHEN ${x} IS NOT NULL THEN ${sql} END`;
  switch (kind) {
    case "integer":
      return `CAST(${x} AS TEXT)`;
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
      return epoch ? `strftime('%Y-%m-%d %H:%M:%S', ${x}, 'unixepoch')` : `CAST(${x} AS TEXT)`;
    case "date":
    case "time":
    case "uuid":
      return `CAST(${x} AS TEXT)`;
    case "bytea":
      // Two backslashes are COPY's one.
      return unlessNull(`'\\\\x' || lower(hex(${x}))`);
    case "text":
    case "json":
    case "jsonb":
      return escaped(`CAST(${x} AS TEXT)`, "char");
  }
}

/** PostgreSQL's SQL for a row's canonical text. Needs `DateStyle = ISO`, and the database in UTF-8. */
export const canonicalRow = (columns: readonly Crossing[]) =>
  columns.map((column) => `coalesce(${canonicalField(column)}, '${NULL}')`).join(" || chr(9) || ");

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
      return escaped(`${x}::text`, "chr");
  }
}

/** Turns COPY's row into its canonical text, as PostgreSQL's `canonicalRow` gives it. */
export function canonicalizer(columns: readonly Crossing[]): (row: Buffer) => Buffer {
  const fields = columns.map(canonicalText);
  if (fields.every((field) => field === undefined)) return (row) => row;
  return (row) =>
    Buffer.from(
      // One character a byte: text passes as it is.
      row
        .toString("latin1")
        .split("\t")
        .map((field, index) => (field === NULL ? field : (fields[index]?.(field) ?? field)))
        .join("\t"),
      "latin1",
    );
}

/** @returns undefined where COPY's text is the canonical one. */
function canonicalText({ kind, scale, type }: Crossing): ((field: string) => string) | undefined {
  switch (kind) {
    case "float":
      return type === "real" ? (field) => float8(Math.fround(toNumber(field))) : float8Text;
    case "numeric":
      return scale === undefined ? float8Text : trimZeros;
    case "timestamp":
    case "timestamptz":
      return canonicalTime;
    case "time":
      return (field) => withMicroseconds(field);
    case "uuid":
      return (field) => field.replaceAll("-", "").toLowerCase();
    case "jsonb":
      return (field) => toLatin1(escapeText(jsonbText(unescapeText(fromLatin1(field)))));
    case "integer":
    case "boolean":
    case "date":
    case "bytea":
    case "text":
    case "json":
      return undefined;
  }
}

const toNumber = (text: string) =>
  /inf/i.test(text) ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);

function float8(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
}

const float8Text = (text: string) => float8(toNumber(text));

/** `1.50` and `01.5` are one number, and so are `-0.0` and `0`. */
function trimZeros(text: string): string {
  const [, sign = "", whole = "", fraction = ""] =
    /^([-+]?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  const digits = `${whole || "0"}${fraction ? `.${fraction}` : ""}`;
  return sign === "-" && digits !== "0" ? `-${digits}` : digits;
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d:\d\d)(:\d\d(?:\.\d*)?)?)? ?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** In UTC, with six digits behind the second. Text that is no time is left alone: the sums differ then. */
export function canonicalTime(text: string): string {
  const found = TIME.exec(text);
  if (!found) return text;
  const [, year, month, day, minutes = "00:00", seconds = ":00", zone = "Z"] = found;
  const time = withMicroseconds(`${minutes}${seconds}`);
  const plain = `${year}-${month}-${day} ${time}`;
  if (/^(Z|[+-]00(:?00)?)$/i.test(zone)) return plain;
  const [, sign, hours = "0", rest = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offset = (Number(hours) * 60 + Number(rest)) * (sign === "-" ? -1 : 1);
  const utc = Date.parse(`${year}-${month}-${day}T${time.slice(0, 8)}Z`) - offset * 60_000;
  return `${new Date(utc).toISOString().slice(0, 19).replace("T", " ")}${time.slice(8)}`;
}

/** `10:00` and `10:00:00.5` as `10:00:00.000000` and `10:00:00.500000`. */
function withMicroseconds(time: string): string {
  const [whole = "", fraction = ""] = time.split(".");
  const seconds = whole.length === 5 ? `${whole}:00` : whole;
  return `${seconds}.${fraction.padEnd(6, "0")}`;
}

const fromLatin1 = (text: string) => Buffer.from(text, "latin1").toString();
const toLatin1 = (text: string) => Buffer.from(text).toString("latin1");

const UNESCAPED: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", "\\": "\\" };
const unescapeText = (text: string) =>
  text.replace(/\\(.)/g, (_, char: string) => UNESCAPED[char] ?? char);
const escapeText = (text: string) =>
  text
    .replaceAll("\\", "\\\\")
    .replaceAll("\t", "\\t")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");

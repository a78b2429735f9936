/** A field's canonical text, for the checksum: what PostgreSQL's `canonicalRow` gives for the value that COPY made of the field. */
import { jsonbText } from "./jsonb-text";
import { type Crossing, NULL } from "./kinds";

/** Gives a field's canonical text. One character a byte: UTF-8 passes as it is. */
export type Canonical = (field: string) => string;

/** @returns for each column what its fields become; undefined where COPY's text is the canonical one. */
export const canonicalFields = (columns: readonly Crossing[]): (Canonical | undefined)[] =>
  columns.map((column) => {
    const canonical = canonicalText(column);
    return canonical && ((field) => (field === NULL ? field : canonical(field)));
  });

function canonicalText({ kind, scale, type }: Crossing): Canonical | undefined {
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

function toNumber(text: string): number {
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  return text.startsWith("-") ? -Infinity : Infinity;
}

const eight = Buffer.alloc(8);

function float8(value: number): string {
  eight.writeDoubleBE(value);
  return eight.toString("hex");
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

/** `2024-03-01 10:11:12`, which is what nearly all of them are. */
const isPlainTime = (text: string) => text.length === 19 && text[10] === " " && text[16] === ":";

/** In UTC, with six digits behind the second. Text that is no time is left alone: the sums differ then. */
export function canonicalTime(text: string): string {
  if (isPlainTime(text)) return `${text}.000000`;
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

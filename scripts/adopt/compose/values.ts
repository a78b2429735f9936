/** What a compose file may say in several ways. */
import { Fault } from "../../../local/fault";

export type Mapping = Readonly<Record<string, unknown>>;

/** A plain object: no list, and no mark of the reader's. */
export const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

export const mappingOf = (value: unknown): Mapping => (isMapping(value) ? value : {});

/** A list; one value by itself is a list of one, nothing an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

/** @returns undefined for what is no text, number or boolean. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

export const isTrue = (value: unknown): boolean => value === true || value === "true";

/** `NAME=value` lines or a mapping. A variable without a value is `null`: it is taken from outside. */
export function variablesOf(value: unknown): Record<string, string | null> {
  if (isMapping(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, textOf(one) ?? null]),
    );
  }
  return Object.fromEntries(
    listOf(value).map((entry) => {
      const text = textOf(entry) ?? "";
      const [name = "", ...rest] = text.split("=");
      return [name, rest.length === 0 ? null : rest.join("=")];
    }),
  );
}

/** A list of words, or a line that a shell would split: a mapping of quotes and backslashes, nothing more. */
export function wordsOf(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map((word) => textOf(word) ?? "");
  const words = [
    ...(textOf(value) ?? "").matchAll(/(?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*')+/g),
  ];
  return words.map(([word]) =>
    word.replaceAll(
      /\\([\s\S])|"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'/g,
      (_, escaped, double, single) =>
        [escaped, (double as string | undefined)?.replaceAll(/\\(["\\$`])/g, "$1"), single].find(
          (part) => part !== undefined,
        ) as string,
    ),
  );
}

const SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** `1m30s`, or a number of seconds. */
export function secondsOf(value: unknown): number | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce(
    (sum, [, number, unit = ""]) => sum + Number(number) * (SECONDS[unit] ?? 0),
    0,
  );
}

/** `512m`, `1.5gb`, or a number of bytes. @throws {Fault} for anything else. */
export function mibOf(value: unknown): number | undefined {
  const text = textOf(value)?.trim().toLowerCase();
  if (text === undefined || text === "") return undefined;
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/.exec(text) ?? [];
  if (number === undefined) throw new Fault(`"${text}" is no amount of memory such as 512m.`);
  const bytes = Number(number) * 1024 ** " kmgt".indexOf(unit || " ");
  return Math.ceil(bytes / 1024 ** 2);
}

/** SQLite's defaults, those that mean the same in PostgreSQL. */
import type { Crossing } from "./kinds";

/**
 * @param sql as the table's definition has it.
 * @returns undefined when it has no equal: the column has no default then.
 */
export function translateDefault(sql: string, { kind, type }: Crossing): string | undefined {
  const text = unwrapped(sql.trim());
  if (/^null$/i.test(text)) return "NULL";
  const quoted = /^'((?:[^']|'')*)'$/.exec(text) ?? /^"([^"]*)"$/.exec(text);
  const plain = quoted?.[1]?.replaceAll("''", "'") ?? text;
  if (kind === "boolean") return booleanDefault(plain.toLowerCase());
  if (isNow(text)) return nowDefault(kind);
  if (/^current_date$|^date\s*\(\s*'now'\s*\)$/i.test(text)) {
    return kind === "date" ? "CURRENT_DATE" : undefined;
  }
  if (/^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text)) {
    return kind === "text"
      ? `'${text}'`
      : ["integer", "float", "numeric"].includes(kind)
        ? text
        : undefined;
  }
  if (!quoted) return undefined;
  const needsNumber = ["integer", "float", "numeric"].includes(kind);
  if (needsNumber) return /^[-+]?\d+(\.\d+)?$/.test(plain) ? plain : undefined;
  if (kind === "bytea") return undefined;
  return `'${plain.replaceAll("'", "''")}'::${type}`;
}

/** Parentheses around an expression. */
function unwrapped(sql: string): string {
  const inner = /^\(([\s\S]*)\)$/.exec(sql)?.[1]?.trim();
  return inner !== undefined && isBalanced(inner) ? unwrapped(inner) : sql;
}

function isBalanced(sql: string): boolean {
  let depth = 0;
  for (const char of sql) {
    depth += char === "(" ? 1 : char === ")" ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth === 0;
}

const booleanDefault = (word: string) =>
  ["1", "t", "true"].includes(word)
    ? "true"
    : ["0", "f", "false"].includes(word)
      ? "false"
      : undefined;

const isNow = (sql: string) =>
  /^current_timestamp$/i.test(sql) ||
  /^datetime\s*\(\s*'now'\s*\)$/i.test(sql) ||
  /^strftime\s*\(\s*'%Y-%m-%d[ T]%H:%M:%(S|f)Z?'\s*,\s*'now'\s*\)$/i.test(sql);

const nowDefault = (kind: Crossing["kind"]) =>
  kind === "timestamptz"
    ? "now()"
    : kind === "timestamp"
      ? "(now() AT TIME ZONE 'UTC')"
      : undefined;

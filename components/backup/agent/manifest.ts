import { z } from "zod";

/** What a table held, in whatever order: rows, and a sum of their hashes, but where every byte is compared anyway. */
const table = z.object({ rows: z.number(), sum: z.string().optional() });

/** One file of a backup. */
const part = z.object({
  kind: z.enum(["database", "volume", "sqlite", "files"]),
  /** Of the database, or the service whose volume it is. */
  name: z.string(),
  /** Below the backup's directory. */
  file: z.string(),
  /** As stored: compressed and encrypted. */
  bytes: z.number(),
  sha256: z.string(),
  /** What it takes where it came from. */
  originalBytes: z.number(),
  /** SQLite file, relative to the volume. */
  path: z.string().optional(),
  /** Of the SQLite file itself. */
  originalSha256: z.string().optional(),
  /** Whose the SQLite file is. */
  owner: z.object({ uid: z.number(), gid: z.number(), mode: z.number() }).optional(),
  /** How many are in the archive, SQLite files apart. */
  files: z.number().optional(),
  /** By name, quoted as SQL wants it. */
  tables: z.record(z.string(), table).optional(),
});

/** Written last: without it a backup does not exist. */
export const manifest = z.object({
  format: z.literal(1),
  id: z.string(),
  stack: z.string(),
  /** When it began: its databases are as of then or a little later. ISO 8601. */
  startedAt: z.string(),
  finishedAt: z.string(),
  recipient: z.string(),
  /** Versions of what wrote it. */
  tools: z.record(z.string(), z.string()),
  parts: z.array(part),
});

export type Manifest = z.infer<typeof manifest>;
export type Part = z.infer<typeof part>;
export type Tables = NonNullable<Part["tables"]>;

/** `20261121T021700Z`. */
export const idOf = (time: Date) =>
  time
    .toISOString()
    .replace(/[-:]/g, "")
    .replace(/\.\d+Z$/, "Z");

/** @returns undefined for what is no backup's id. */
export function timeOf(id: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(id);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

export const BACKUPS = "backups";
export const MANIFEST = "manifest.json";
export const directoryOf = (id: string) => `${BACKUPS}/${id}`;

/** @returns how tables differ, one line each; none when all is the same. */
export function differences(expected: Tables, found: Tables): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return names.flatMap((name) => {
    const [before, after] = [expected[name], found[name]];
    if (before === undefined) return [`${name} was not in the backup`];
    if (after === undefined) return [`${name} is missing`];
    if (before.rows !== after.rows) return [`${name} has ${after.rows} rows, not ${before.rows}`];
    return before.sum === after.sum ? [] : [`${name} has ${after.rows} rows, but other contents`];
  });
}

/** @throws {Error} with the first differences, when tables were restored that are not what was saved. */
export function mustBeAsSaved(expected: Tables, found: Tables): void {
  const wrong = differences(expected, found);
  if (wrong.length === 0) return;
  throw new Error(`what was restored is not what was saved: ${wrong.slice(0, 5).join("; ")}`);
}

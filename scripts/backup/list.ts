/** What a stack's places have. */
import { z } from "zod";
import { Fault } from "../../local/fault";
import type { Target } from "../operator/target";
import { askAgent, size } from "./agent";
import { newTable } from "../operator/table";

const stored = z.object({
  place: z.enum(["first", "second", "given"]),
  id: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  recipient: z.string(),
  parts: z.array(
    z.object({
      kind: z.string(),
      name: z.string(),
      /** SQLite file, relative to the volume of the service. */
      path: z.string().optional(),
      bytes: z.number(),
      originalBytes: z.number(),
      rows: z.number(),
    }),
  ),
});

export type StoredBackup = z.infer<typeof stored>;

export interface Listing {
  readonly backups: readonly StoredBackup[];
  /** What went wrong, such as a place that does not answer. */
  readonly failures: readonly string[];
}

/** @throws {Fault} when no place answers. */
export async function listBackups(target: Target): Promise<Listing> {
  const backups: StoredBackup[] = [];
  const failures: string[] = [];
  await askAgent(target, "list", (event) => {
    if (event.event === "failed") failures.push(event.text ?? "");
    if (event.event === "done") backups.push(stored.parse(event));
  });
  if (backups.length === 0 && failures.length > 1) throw new Fault(failures.join("\n"));
  return { backups, failures };
}

/** One row for each backup, newest first. */
export function tableOf(backups: readonly StoredBackup[]): string {
  const table = newTable(["backup", "age", "places", "what", "stored", "rows"]);
  const ids = [...new Set(backups.map(({ id }) => id))].sort().reverse();
  for (const id of ids) {
    const same = backups.filter((each) => each.id === id);
    const [{ startedAt, parts } = { startedAt: "", parts: [] }] = same;
    table.push([
      id,
      ageOf(startedAt),
      same.map(({ place }) => place).join(", "),
      parts.map(({ kind, name, path }) => `${kind} ${name}${path ? ` ${path}` : ""}`).join("\n"),
      size(parts.reduce((sum, { bytes }) => sum + bytes, 0)),
      parts.reduce((sum, { rows }) => sum + rows, 0),
    ]);
  }
  return table.toString();
}

/** `3 h`. */
export function ageOf(time: string, now = Date.now()): string {
  const minutes = Math.max(0, Math.round((now - Date.parse(time)) / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 72 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

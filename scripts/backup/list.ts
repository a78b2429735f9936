/** What a stack's places have. */
import { z } from "zod";
import type { ArchivedServer } from "../../components/backup/agent/copies";
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

const archived = z.object({
  place: stored.shape.place,
  server: z.object({
    system: z.string(),
    version: z.string(),
    from: z.string(),
    copiedAt: z.string(),
    bytes: z.number(),
  }),
});

/** A server whose archived log leads to moments, in a place. */
export type StoredArchive = Pick<StoredBackup, "place"> & ArchivedServer;

export interface Listing {
  readonly backups: readonly StoredBackup[];
  readonly archives: readonly StoredArchive[];
  /** What went wrong: a place that does not answer, a manifest that is damaged. */
  readonly failures: readonly string[];
  /** Ids of backups whose manifests are damaged, in one place or both. */
  readonly damaged: readonly string[];
}

/** @throws {Fault} when no place has anything that can be read. */
export async function listBackups(target: Target): Promise<Listing> {
  const backups: StoredBackup[] = [];
  const archives: StoredArchive[] = [];
  const failures: string[] = [];
  const damaged: string[] = [];
  await askAgent(target, "list", (event) => {
    if (event.event === "failed") {
      failures.push(event.text ?? "");
      if (event.backup !== undefined) damaged.push(event.backup);
    }
    if (event.event === "archived") {
      const { place, server } = archived.parse(event);
      archives.push({ place, ...server });
    }
    if (event.event === "done") backups.push(stored.parse(event));
  });
  if (backups.length + archives.length === 0 && failures.length > 1) {
    throw new Fault(failures.join("\n"));
  }
  return { backups, archives, failures, damaged };
}

/** For people: a table of the backups, and a line for each server whose archived log leads to moments. */
export function listingOf({ backups, archives }: Pick<Listing, "backups" | "archives">): string {
  return [
    backups.length > 0 ? tableOf(backups) : "No backup.",
    ...archives.map(({ place, from, system, version, bytes, copiedAt }) => {
      const where = place === "given" ? "" : `${place} place, `;
      return `Any moment since ${from} (${where}server ${system}, PostgreSQL ${version}, ${size(bytes)} at ${copiedAt})`;
    }),
  ].join("\n");
}

/** One row for each backup, newest first. */
function tableOf(backups: readonly StoredBackup[]): string {
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

/** What a place has of a stack. */
import { basesIn } from "../../../components/backup/agent/base";
import { backupsIn, readManifest } from "../../../components/backup/agent/catalogue";
import type { Manifest } from "../../../components/backup/agent/manifest";
import { Fault } from "../../../local/fault";
import { type StoredBackup, tableOf } from "../../backup/list";
import type { Opened } from "./opened";

/** A server whose log is archived. */
export interface Archive {
  readonly system: string;
  /** From when on it leads to any moment, ISO 8601. */
  readonly from: string;
  readonly version: string;
}

/** @returns newest first. A backup whose manifest is damaged is told of, and left out. */
export async function manifestsIn({ store, tell }: Opened): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for (const id of (await backupsIn(store)).keys()) {
    try {
      manifests.push(await readManifest(store, id));
    } catch (error) {
      tell({ event: "failed", text: (error as Error).message });
    }
  }
  return manifests;
}

export async function archivesIn({ store }: Opened): Promise<Archive[]> {
  const archives = new Map<string, Archive>();
  for (const { system, finishedAt: from, version } of await basesIn(store)) {
    if (!archives.has(system)) archives.set(system, { system, from, version });
  }
  return [...archives.values()];
}

/** @throws {Fault} when there is none, or none of that name. */
export function manifestOf(manifests: readonly Manifest[], id: string | undefined): Manifest {
  const chosen = manifests.find((one) => id === undefined || one.id === id);
  if (chosen) return chosen;
  throw new Fault(
    id === undefined ? "There is no backup in that place." : `There is no backup ${id}.`,
  );
}

export function describe(manifests: readonly Manifest[], archives: readonly Archive[]): string {
  const lines = archives.map(
    ({ system, from, version }) =>
      `Any moment since ${from} (server ${system}, PostgreSQL ${version})`,
  );
  const servers = lines.length > 0 ? `\n${lines.join("\n")}` : "";
  return `${manifests.length > 0 ? tableOf(manifests.map(asListed)) : "No backup."}${servers}`;
}

/** As the stack's own agent would list it. */
const asListed = ({ id, startedAt, finishedAt, recipient, parts }: Manifest): StoredBackup => ({
  place: "given",
  id,
  startedAt,
  finishedAt,
  recipient,
  parts: parts.map(({ kind, name, bytes, originalBytes, tables = {} }) => ({
    kind,
    name,
    bytes,
    originalBytes,
    rows: Object.values(tables).reduce((sum, { rows }) => sum + rows, 0),
  })),
});

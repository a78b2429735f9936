/** What a place has of a stack. */
import { basesIn } from "../../../components/backup/agent/base";
import { backupsIn, readManifest } from "../../../components/backup/agent/catalogue";
import { type ArchivedServer, serversOf } from "../../../components/backup/agent/copies";
import type { Manifest } from "../../../components/backup/agent/manifest";
import { Fault } from "../../../local/fault";
import { size } from "../../backup/agent";
import { type StoredBackup, tableOf } from "../../backup/list";
import { mustNotBeOfNewServer } from "../newest";
import type { Opened } from "./opened";

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

export const archivesIn = async ({ store }: Opened): Promise<ArchivedServer[]> =>
  serversOf(await basesIn(store));

/**
 * @param manifests newest first.
 * @param id @default the newest one
 * @throws {Fault} when there is none, or none of that name, or the newest one may be of an empty server.
 */
export function manifestOf(manifests: readonly Manifest[], id: string | undefined): Manifest {
  const chosen = manifests.find((one) => id === undefined || one.id === id);
  if (chosen && id === undefined) mustNotBeOfNewServer(asListed(chosen), manifests.map(asListed));
  if (chosen) return chosen;
  throw new Fault(
    id === undefined ? "There is no backup in that place." : `There is no backup ${id}.`,
  );
}

export function describe(
  manifests: readonly Manifest[],
  archives: readonly ArchivedServer[],
): string {
  const lines = archives.map(
    ({ system, from, version, copiedAt, bytes }) =>
      `Any moment since ${from} (server ${system}, PostgreSQL ${version}, ${size(bytes)} at ${copiedAt})`,
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

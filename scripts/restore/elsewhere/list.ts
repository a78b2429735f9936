/** What a place has of a stack. */
import { basesIn } from "../../../components/backup/agent/base";
import { manifestsIn as foundIn } from "../../../components/backup/agent/catalogue";
import { type ArchivedServer, serversOf } from "../../../components/backup/agent/copies";
import type { Manifest } from "../../../components/backup/agent/manifest";
import { Fault } from "../../../local/fault";
import { listingOf, type StoredBackup } from "../../backup/list";
import { mustNotBeOfNewServer, mustNotHideNewer } from "../newest";
import type { Opened } from "./opened";

/** @returns newest first. A backup whose manifest is damaged is told of, and left out. */
export async function manifestsIn({ store, tell }: Opened): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for await (const found of foundIn(store)) {
    if ("damaged" in found)
      tell({ event: "failed", text: found.damaged.message, backup: found.id });
    else manifests.push(found.manifest);
  }
  return manifests;
}

/** @returns in the order in which they began. A copy whose manifest is damaged is told of, and left out. */
export async function archivesIn({ store, tell }: Opened): Promise<ArchivedServer[]> {
  const { whole, damaged } = await basesIn(store);
  for (const each of damaged) tell({ event: "failed", text: each.damaged.message });
  return serversOf(whole);
}

/**
 * @param manifests newest first.
 * @param damaged ids of those that cannot be read.
 * @param id @default the newest one
 * @throws {Fault} when there is none, or none of that name, or the newest one is damaged or may be of an empty server.
 */
export function manifestOf(
  manifests: readonly Manifest[],
  damaged: readonly string[],
  id: string | undefined,
): Manifest {
  const chosen = manifests.find((one) => id === undefined || one.id === id);
  if (chosen && id === undefined) {
    mustNotHideNewer(chosen, damaged);
    mustNotBeOfNewServer(asListed(chosen), manifests.map(asListed));
  }
  if (chosen) return chosen;
  throw new Fault(
    id === undefined ? "There is no backup in that place." : `There is no backup ${id}.`,
  );
}

export function describe(
  manifests: readonly Manifest[],
  archives: readonly ArchivedServer[],
): string {
  const place = "given" as const;
  return listingOf({
    backups: manifests.map(asListed),
    archives: archives.map((each) => ({ place, ...each })),
  });
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

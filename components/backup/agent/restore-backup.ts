import * as path from "node:path";
import { readManifest } from "./catalogue";
import type { Context } from "./context";
import type { Manifest } from "./manifest";
import { writePrivate } from "./private";
import { mustBeWhole, mustOpen, restoreDatabases, type RestoreRequest, storeOf } from "./restore";
import { restoreVolumes, volumeParts, volumesMustFit } from "./restore-volumes";

export interface BackupRequest extends RestoreRequest {
  /** Only what this service keeps on the Volume. @default all */
  readonly service?: string | undefined;
}

/**
 * Brings back what a backup holds of what the stack has: databases, and what services keep on the Volume. All that can be looked at is
 * looked at before the first change.
 *
 * @param stopped resolves when services have no task that runs.
 */
export async function restoreBackup(
  context: Context,
  id: string,
  request: BackupRequest,
  stopped: (services: readonly string[]) => Promise<void>,
): Promise<Record<string, unknown>> {
  const { settings, secrets } = context;
  const { service, database, into, dryRun } = request;
  const store = storeOf(context, request.from);
  const manifest = await readManifest(store, id);
  mustOpen(`backup ${manifest.id}`, manifest.recipient, request.identity);
  const services =
    database === undefined && into === undefined ? wanted(context, manifest, service) : [];
  const parts = volumeParts(manifest).filter(({ name }) => services.includes(name));
  await mustBeWhole(store, manifest, parts);
  if (settings.volumes && parts.length > 0) await volumesMustFit(settings.volumes, parts);
  const isAsked = service === undefined && (database !== undefined || holdsDatabases(manifest));
  if (settings.server === undefined && database !== undefined) {
    throw new Error("this stack has no database");
  }
  const databases =
    settings.server !== undefined && isAsked
      ? await restoreDatabases(context, settings.server, id, request)
      : { from: store.name, what: `backup ${id}`, databases: [], kept: [], tables: 0, rows: 0 };
  if (services.length === 0 || settings.volumes === undefined) return databases;
  if (dryRun) return { ...databases, dryRun, services };
  const identity = path.join(secrets, "identity");
  writePrivate(identity, `${request.identity}\n`);
  const opened = { store, manifest, identity };
  const files = await restoreVolumes(context, settings.volumes, opened, services, stopped);
  return { ...databases, ...files };
}

const holdsDatabases = ({ parts }: Manifest) => parts.some(({ kind }) => kind === "database");

/** Services whose files are in the backup and have a place in the stack. */
function wanted(
  { settings, tell }: Context,
  manifest: Manifest,
  service: string | undefined,
): string[] {
  const saved = [...new Set(volumeParts(manifest).map(({ name }) => name))];
  const there = settings.volumes?.services ?? [];
  if (service === undefined) {
    for (const name of saved.filter((each) => !there.includes(each))) {
      const text = `no service ${name} has a volume now: its files in the backup stay where they are`;
      tell({ event: "note", text });
    }
    return saved.filter((name) => there.includes(name));
  }
  if (!saved.includes(service)) {
    const names = saved.join(", ") || "none";
    throw new Error(`backup ${manifest.id} has no files of ${service}: it has those of ${names}`);
  }
  if (!there.includes(service))
    throw new Error(`the service ${service} has no volume in this stack`);
  return [service];
}

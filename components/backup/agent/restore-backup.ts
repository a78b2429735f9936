import * as path from "node:path";
import { readManifest } from "./catalogue";
import type { Context } from "./context";
import { filesMustBeTheSame, restoreFiles } from "./files";
import type { Manifest, Part } from "./manifest";
import { writePrivate } from "./private";
import type { Opened } from "./read-part";
import { mustBeWhole, mustOpen, restoreDatabases, type RestoreRequest, storeOf } from "./restore";
import { restoreVolumes, volumeParts, volumesMustFit } from "./restore-volumes";

export interface BackupRequest extends RestoreRequest {
  /** Only what this service keeps on the Volume. @default all */
  readonly service?: string | undefined;
  /** Only the bucket of uploaded files. @default all */
  readonly files?: boolean | undefined;
}

/**
 * Brings back what a backup holds of what the stack has: databases, what services keep on the Volume, the bucket of uploaded files. All
 * that can be looked at is looked at before the first change.
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
  const store = storeOf(context, request.from);
  const manifest = await readManifest(store, id);
  mustOpen(`backup ${manifest.id}`, manifest.recipient, request.identity);
  const asked = askedFor(context, manifest, request);
  await mustBeWhole(store, manifest, [...asked.volumes, ...asked.files]);
  if (settings.volumes && asked.volumes.length > 0) {
    await volumesMustFit(settings.volumes, asked.volumes);
  }
  const identity = path.join(secrets, "identity");
  writePrivate(identity, `${request.identity}\n`);
  const opened: Opened = { store, manifest, identity };
  for (const part of asked.files) await filesMustBeTheSame(context, opened, part);
  const databases =
    settings.server !== undefined && asked.databases
      ? await restoreDatabases(context, settings.server, id, request)
      : { from: store.name, what: `backup ${id}`, databases: [], kept: [], tables: 0, rows: 0 };
  const services = [...new Set(asked.volumes.map(({ name }) => name))];
  if (request.dryRun) {
    return { ...databases, dryRun: true, services, bucket: asked.files.length > 0 };
  }
  const { volumes } = settings;
  const theirs =
    volumes && services.length > 0
      ? await restoreVolumes(context, volumes, opened, services, stopped)
      : {};
  const [part] = asked.files;
  const uploaded = part ? await restoreFiles(context, opened, part) : {};
  return { ...databases, ...theirs, ...uploaded };
}

/** What of a backup is to come back. @throws {Error} when that is nothing. */
function askedFor(context: Context, manifest: Manifest, request: BackupRequest) {
  const { settings } = context;
  const { service, database, into, files = false } = request;
  const isDatabase = database !== undefined || into !== undefined;
  if (settings.server === undefined && isDatabase) throw new Error("this stack has no database");
  const held = manifest.parts.filter(({ kind }) => kind === "files");
  if (files && held.length === 0) {
    throw new Error(`backup ${manifest.id} has no bucket of files`);
  }
  if (files && settings.files === undefined) {
    throw new Error("this stack has no bucket of files that is backed up");
  }
  const isAll = service === undefined && !files && !isDatabase;
  const asked = {
    databases:
      (isAll || isDatabase) &&
      settings.server !== undefined &&
      (isDatabase || manifest.parts.some(({ kind }) => kind === "database")),
    volumes: isAll || service !== undefined ? volumesOf(context, manifest, service) : [],
    files: (isAll || files) && settings.files !== undefined ? held : [],
  };
  if (!asked.databases && asked.volumes.length + asked.files.length === 0) {
    throw new Error(`backup ${manifest.id} has nothing that this stack has a place for`);
  }
  return asked;
}

/** Files of services that are in the backup and have a place in the stack. */
function volumesOf(
  { settings, tell }: Context,
  manifest: Manifest,
  service: string | undefined,
): Part[] {
  const parts = volumeParts(manifest);
  const saved = [...new Set(parts.map(({ name }) => name))];
  const there = settings.volumes?.services ?? [];
  if (service === undefined) {
    for (const name of saved.filter((each) => !there.includes(each))) {
      const text = `no service ${name} has a volume now: its files in the backup stay where they are`;
      tell({ event: "note", text });
    }
    return parts.filter(({ name }) => there.includes(name));
  }
  if (!saved.includes(service)) {
    const names = saved.join(", ") || "none";
    throw new Error(`backup ${manifest.id} has no files of ${service}: it has those of ${names}`);
  }
  if (!there.includes(service))
    throw new Error(`the service ${service} has no volume in this stack`);
  return parts.filter(({ name }) => name === service);
}

import { createWriteStream, existsSync, openSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { ServiceVolumes } from "../settings";
import type { Context } from "./context";
import { flow, textOf } from "./flow";
import { differences, idOf, type Manifest, type Part } from "./manifest";
import { sha256Of } from "./measure";
import { type Opened, readPart } from "./read-part";
import { inspectSqlite } from "./sqlite";
import { unpack } from "./tree";

export interface RestoredVolumes {
  readonly services: readonly string[];
  /** Directories beside the services', which hold what was there before. */
  readonly keptDirectories: readonly string[];
  readonly files: number;
  /** Of their SQLite files. */
  readonly fileRows: number;
}

/** Parts of a backup that services' volumes are made of. */
export const volumeParts = ({ parts }: Manifest): Part[] =>
  parts.filter(({ kind }) => kind === "volume" || kind === "sqlite");

/**
 * Brings back what services keep on the Volume: a directory beside each one's is filled and verified, then the two change places.
 *
 * @param stopped resolves when no task of the services has its files open: a database that is moved away while it is open would be
 *   written to on and on, where nobody looks.
 */
export async function restoreVolumes(
  context: Context,
  { directory }: ServiceVolumes,
  opened: Opened,
  services: readonly string[],
  stopped: (services: readonly string[]) => Promise<void>,
): Promise<RestoredVolumes> {
  const { tell, now } = context;
  const stamp = idOf(now()).toLowerCase();
  const besideOf = (service: string) =>
    path.join(directory, `${service}.restore_${opened.manifest.id.toLowerCase()}`);
  const done = { files: 0, fileRows: 0 };
  try {
    for (const service of services) {
      const made = await make(context, opened, service, besideOf(service));
      done.files += made.files;
      done.fileRows += made.rows;
    }
    await textOf({ command: ["sync", "-f", directory] });
    await stopped(services);
    const keptDirectories: string[] = [];
    for (const service of services) {
      const old = `${service}.before_${stamp}`;
      if (!(await takePlace(directory, besideOf(service), service, old))) continue;
      tell({
        event: "note",
        text: `the files of ${service} are the restored ones now; those before are in ${old}`,
      });
      keptDirectories.push(old);
    }
    return { services, keptDirectories, ...done };
  } catch (error) {
    for (const service of services)
      await fs.rm(besideOf(service), { recursive: true, force: true });
    throw error;
  }
}

/** @throws {Error} when what is restored does not fit beside what is there. */
export async function volumesMustFit(
  { directory }: ServiceVolumes,
  parts: readonly Part[],
): Promise<void> {
  const needed = parts.reduce((sum, { originalBytes }) => sum + originalBytes, 0) * 1.1;
  const { bavail, bsize } = await fs.statfs(directory);
  if (bavail * bsize >= needed) return;
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new Error(
    `not enough room: the restored files need ${mib(needed)} beside the old ones, and ${mib(bavail * bsize)} are free; ` +
      "raise archipelago:database.volumeGib and run `up`, or remove what an earlier restore kept",
  );
}

/** A service's files in a directory of their own, each as it was saved. */
async function make(
  context: Context,
  opened: Opened,
  service: string,
  beside: string,
): Promise<{ files: number; rows: number }> {
  // What an interrupted restore left.
  await fs.rm(beside, { recursive: true, force: true });
  await fs.mkdir(beside);
  const parts = volumeParts(opened.manifest).filter(({ name }) => name === service);
  let files = 0;
  let rows = 0;
  for (const part of parts.filter(({ kind }) => kind === "volume")) {
    const found = await readPart(context, opened, part, (archive) => unpack(archive, beside));
    if (found.files !== part.files || found.bytes !== part.originalBytes) {
      throw new Error(
        `what was restored of ${service} is not what was saved: ${found.files} files with ${found.bytes} bytes, not ${part.files ?? 0} with ${part.originalBytes}`,
      );
    }
    files += found.files;
  }
  for (const part of parts.filter(({ kind }) => kind === "sqlite")) {
    rows += await makeSqlite(context, opened, part, beside);
    files++;
  }
  return { files, rows };
}

/** @returns its rows. */
async function makeSqlite(
  context: Context,
  opened: Opened,
  part: Part,
  beside: string,
): Promise<number> {
  const { path: name = "", owner = { uid: 0, gid: 0, mode: 0o600 }, tables = {} } = part;
  const place = path.join(beside, name);
  if (path.relative(beside, await fs.realpath(path.dirname(place))).startsWith("..")) {
    throw new Error(`${name} leads out of the service's directory`);
  }
  const wrong = (why: string) =>
    new Error(`what was restored of ${part.name} is not what was saved: ${name} ${why}`);
  // Never through something that is there.
  await readPart(context, opened, part, (content) =>
    flow(content, [], createWriteStream("", { fd: openSync(place, "wx", 0o600) }), context.signal),
  );
  if ((await sha256Of(place)).sha256 !== part.originalSha256) throw wrong("has another SHA-256");
  await fs.chown(place, owner.uid, owner.gid);
  await fs.chmod(place, owner.mode);
  const found = await inspectSqlite(place, context.signal);
  const [difference] = differences(tables, found);
  if (difference !== undefined) throw wrong(difference);
  return Object.values(found).reduce((sum, table) => sum + table.rows, 0);
}

/** @returns whether there was one before. */
async function takePlace(
  directory: string,
  beside: string,
  service: string,
  old: string,
): Promise<boolean> {
  const place = path.join(directory, service);
  const kept = path.join(directory, old);
  const isThere = existsSync(place);
  if (isThere) await fs.rename(place, kept);
  try {
    await fs.rename(beside, place);
  } catch (error) {
    if (isThere) await fs.rename(kept, place);
    throw error;
  }
  return isThere;
}

import { rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import * as path from "node:path";
import type { ServiceVolumes } from "../settings";
import { type Reading, type Source, Unreadable } from "./source";
import type { Context } from "./context";
import { type Command } from "./flow";
import { sha256Of } from "./measure";
import { COMPANIONS, copySqlite, inspectSqlite, isSqlite } from "./sqlite";
import { entriesOf, type Entry, pack } from "./tree";

/** For copies of SQLite files, one at a time, on the same disk: below the services' directory, and no service's. */
const COPIES = ".backup";

/**
 * What services keep on the Volume: each SQLite file as of one moment, and everything else of a service in one archive. An archive's
 * files are each as of when they were read.
 */
export async function volumeSources({ settings, signal }: Context): Promise<Source[]> {
  const { volumes } = settings;
  if (volumes === undefined) return [];
  const sources: Source[] = [];
  for (const service of volumes.services) {
    const directory = path.join(volumes.directory, service);
    const entries = await entriesOf(directory);
    const databases = entries.filter(({ path: name, stats }) => {
      return stats.isFile() && isSqlite(path.join(directory, name));
    });
    const theirs = new Set(
      databases.flatMap(({ path: name }) => ["", ...COMPANIONS].map((end) => name + end)),
    );
    const others = entries.filter(({ path: name }) => !theirs.has(name));
    sources.push(
      ...databases.map((entry, index) => ({
        kind: "sqlite" as const,
        name: service,
        file: `sqlite-${service}-${index + 1}.db.zst.age`,
        size: entry.stats.size,
        open: () => sqliteReading(volumes, service, entry, signal),
      })),
      {
        kind: "volume",
        name: service,
        file: `volume-${service}.tar.zst.age`,
        size: others.reduce((sum, { stats }) => sum + (stats.isFile() ? stats.size : 0), 0),
        open: () => Promise.resolve(archiveReading(directory, others)),
      },
    );
  }
  return sources;
}

async function sqliteReading(
  { directory }: ServiceVolumes,
  service: string,
  { path: name, stats }: Entry,
  signal: AbortSignal,
): Promise<Reading> {
  const copies = path.join(directory, COPIES);
  const close = () => rmSync(copies, { recursive: true, force: true });
  close();
  await mustFit(directory, stats.size, name);
  try {
    const copy = await copySqlite(path.join(directory, service, name), copies, signal);
    const tables = await inspectSqlite(copy, signal);
    const { uid, gid, mode } = stats;
    const { bytes, sha256 } = await sha256Of(copy);
    const from: Command = { command: ["cat", copy] };
    return {
      from,
      finish: () =>
        Promise.resolve({
          path: name,
          tables,
          owner: { uid, gid, mode: mode & 0o7777 },
          originalBytes: bytes,
          originalSha256: sha256,
        }),
      close: () => Promise.resolve(close()),
    };
  } catch (error) {
    close();
    const reason = error instanceof Error ? error.message : "unreadable";
    throw new Error(`${name}: ${reason}`, { cause: error });
  }
}

function archiveReading(directory: string, entries: readonly Entry[]): Reading {
  const { archive, contents } = pack(directory, entries);
  return {
    from: archive,
    finish: async () => {
      const { files, bytes } = await contents.catch((error: unknown) => {
        throw new Unreadable(error instanceof Error ? error.message : "unreadable");
      });
      return { files, originalBytes: bytes };
    },
    close: () => Promise.resolve(void archive.destroy()),
  };
}

async function mustFit(directory: string, bytes: number, name: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= bytes * 1.1) return;
  const mib = (count: number) => `${Math.ceil(count / 2 ** 20)} MiB`;
  throw new Error(
    `not enough room on the Volume for a copy of ${name}: ${mib(bytes * 1.1)} needed, ${mib(bavail * bsize)} free; raise archipelago:database.volumeGib and run \`up\``,
  );
}

import { once } from "node:events";
import { constants, createWriteStream, openSync, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header, pack as packer } from "tar-stream";

/** Something below a directory, parents before what is in them. */
export interface Entry {
  /** Relative to the directory; empty for itself. */
  readonly path: string;
  readonly stats: Stats;
}

/** What of a tree is in an archive. */
export interface Packed {
  readonly files: number;
  /** Of the files' contents. */
  readonly bytes: number;
}

/**
 * Everything below a directory that can be saved: directories, files, symbolic links. Sockets and the like are made anew by who uses them.
 *
 * @throws {Error} for a name that is no UTF-8, which could not be brought back.
 */
export async function entriesOf(directory: string): Promise<Entry[]> {
  const found: Entry[] = [];
  const visit = async (below: string): Promise<void> => {
    const place = path.join(directory, below);
    const stats = await fs.lstat(place).catch(gone);
    if (stats === undefined) return;
    if (stats.isDirectory()) {
      found.push({ path: below, stats });
      for (const name of (await fs.readdir(place)).sort()) {
        if (name.includes("\ufffd")) {
          throw new Error(`${path.join(below, name)}: its name is no UTF-8; rename it`);
        }
        await visit(path.join(below, name));
      }
    } else if (stats.isFile() || stats.isSymbolicLink()) found.push({ path: below, stats });
  };
  await visit("");
  return found;
}

/**
 * A tar archive of entries. A file that is gone by now is left out; one that is written to meanwhile is there as it was read.
 *
 * @returns it, and what is in it, once all of it was read.
 */
export function pack(
  directory: string,
  entries: readonly Entry[],
): { readonly archive: Readable; readonly contents: Promise<Packed> } {
  const tar = packer();
  const contents = fill(tar, directory, entries);
  contents.catch((error: unknown) => tar.destroy(error as Error));
  return { archive: tar as unknown as Readable, contents };
}

async function fill(tar: Tar, directory: string, entries: readonly Entry[]): Promise<Packed> {
  const count = { files: 0, bytes: 0 };
  for (const { path: name, stats } of entries) {
    const place = path.join(directory, name);
    const { mode, uid, gid, mtime } = stats;
    const common = { name: name || ".", mode: mode & 0o7777, uid, gid, mtime };
    if (stats.isDirectory()) await enter(tar, { ...common, type: "directory" });
    else if (stats.isSymbolicLink()) {
      const linkname = await fs.readlink(place).catch(gone);
      if (linkname !== undefined) await enter(tar, { ...common, type: "symlink", linkname });
    } else {
      const bytes = await enterFile(tar, place, common);
      if (bytes === undefined) continue;
      count.files++;
      count.bytes += bytes;
    }
  }
  tar.finalize();
  return count;
}

type Tar = ReturnType<typeof packer>;
type Told = Partial<Header> & { readonly name: string };

const enter = (tar: Tar, header: Told) =>
  new Promise<void>((done, failed) => {
    tar.entry(header, (error) => (error ? failed(error) : done()));
  });

/** @returns its size; undefined when it is gone. */
async function enterFile(tar: Tar, place: string, header: Told): Promise<number | undefined> {
  // Whatever was put in its place meanwhile is not followed elsewhere.
  const file = await fs.open(place, constants.O_RDONLY | constants.O_NOFOLLOW).catch(gone);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    await new Promise<void>((done, failed) => {
      const entry = tar.entry({ ...header, size }, (error) => (error ? failed(error) : done()));
      copyExactly(file, size, entry as unknown as Writable).catch(failed);
    });
    return size;
  } finally {
    await file.close();
  }
}

const PADDING = Buffer.alloc(65_536);

/** As many bytes as the archive was told of, also of a file that has become shorter. */
async function copyExactly(file: fs.FileHandle, size: number, entry: Writable): Promise<void> {
  let left = size;
  const write = async (chunk: Buffer) => {
    left -= chunk.length;
    if (!entry.write(chunk)) await once(entry, "drain");
  };
  if (size > 0) {
    const content = file.createReadStream({ autoClose: false, end: size - 1 });
    for await (const chunk of content) await write(chunk as Buffer);
  }
  while (left > 0) await write(PADDING.subarray(0, left));
  entry.end();
}

/**
 * Unpacks an archive into a directory that is there and empty. Nothing is written outside of it, whoever made the archive.
 *
 * @returns what was in it.
 */
export async function unpack(archive: Readable, directory: string): Promise<Packed> {
  const tar = extract();
  const count = { files: 0, bytes: 0 };
  const made = new Set<string>(["."]);
  const directories: [string, Header][] = [];
  const feeding = pipeline(archive, tar);
  feeding.catch(() => undefined);
  for await (const entry of tar) {
    const { header } = entry;
    const name = path.posix.normalize(header.name).replace(/\/$/, "") || ".";
    if (path.isAbsolute(name) || /^\.\.(\/|$)/.test(name) || !made.has(path.posix.dirname(name))) {
      throw new Error(`${header.name} leads out of the archive`);
    }
    const place = path.join(directory, name);
    if (header.type === "directory") {
      if (name !== ".") await fs.mkdir(place);
      made.add(name);
      directories.push([place, header]);
      entry.resume();
    } else if (header.type === "symlink") {
      await fs.symlink(header.linkname ?? "", place);
      await fs.lchown(place, header.uid ?? 0, header.gid ?? 0);
      entry.resume();
    } else {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      const fd = openSync(place, flags, 0o600);
      await pipeline(entry as unknown as Readable, createWriteStream("", { fd }));
      await own(place, header);
      count.files++;
      count.bytes += header.size ?? 0;
    }
  }
  await feeding;
  // Last: what is written into them changes their times, and may be forbidden.
  for (const [place, header] of directories.reverse()) await own(place, header);
  return count;
}

async function own(place: string, { uid = 0, gid = 0, mode = 0o600, mtime }: Header) {
  await fs.chown(place, uid, gid);
  await fs.chmod(place, mode);
  if (mtime !== undefined) await fs.utimes(place, mtime, mtime);
}

function gone(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ELOOP") return undefined;
  throw error;
}

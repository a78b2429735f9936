import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { extract, pack } from "tar-stream";

/** One regular file of an archive. */
export interface ArchiveFile {
  /** Path inside the archive, without a leading slash. */
  readonly name: string;
  readonly content: string | Buffer;
  /** @default 0o644 */
  readonly mode?: number;
}

/** A tar archive of the files, owned by root; parent folders are made by whoever unpacks it. */
export async function archive(files: readonly ArchiveFile[]): Promise<Buffer> {
  const tar = pack();
  for (const file of files) {
    tar.entry({ name: file.name, mode: file.mode ?? 0o644, uid: 0, gid: 0 }, file.content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks);
}

/** Every file below a folder, sorted by name, names relative to it. */
export async function readTree(root: string): Promise<ArchiveFile[]> {
  const names = (await readdir(root, { recursive: true })).sort();
  const files: ArchiveFile[] = [];
  for (const name of names) {
    const location = path.join(root, name);
    if (!(await stat(location)).isFile()) continue;
    files.push({ name: name.split(path.sep).join("/"), content: await readFile(location) });
  }
  return files;
}

/**
 * One file of a tar archive that is compressed with gzip.
 *
 * @param wanted its whole path in there.
 * @throws {Error} when there is none, or the archive is damaged.
 */
export async function packedFile(packed: Buffer, wanted: string): Promise<Buffer> {
  const unpack = extract();
  createGunzip()
    .on("error", (error) => unpack.destroy(error))
    .end(packed)
    .pipe(unpack);
  let found: Buffer | undefined;
  for await (const entry of unpack) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Buffer));
    if (entry.header.name === wanted) found = Buffer.concat(chunks);
  }
  if (found === undefined) throw new Error(`the archive has no file ${wanted}`);
  return found;
}

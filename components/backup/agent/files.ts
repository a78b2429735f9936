import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, pack } from "tar-stream";
import { Bucket, type BucketObject } from "./bucket";
import type { Context } from "./context";
import { directoryOf, idOf, type Part } from "./manifest";
import { type Opened, readPart } from "./read-part";
import { type Source, Unreadable } from "./source";
import { elsewhere } from "./store";
import type { Packed } from "./tree";

/** Of the part, and of what a restore puts aside. */
export const FILES = "files";

/** In pax headers of an archive: what an object is served with. */
const TYPE = "ARCHIPELAGO.type";

/** What a restore put aside is saved no more. */
const ASIDE = /^before_\d{8}t\d{6}z\//;

/** The bucket of uploaded files, as one archive: each object as of when it was read. */
export async function filesSource({ settings, signal }: Context): Promise<Source[]> {
  if (settings.files === undefined) return [];
  const bucket = new Bucket(settings.files, signal);
  const objects = (await bucket.list()).filter(({ key }) => !ASIDE.test(key));
  return [
    {
      kind: "files",
      name: FILES,
      file: `${FILES}.tar.zst.age`,
      size: objects.reduce((sum, { bytes }) => sum + bytes, 0),
      open: () => {
        const tar = pack();
        const contents = fill(tar, bucket, objects);
        contents.catch((error: unknown) => tar.destroy(error as Error));
        return Promise.resolve({
          from: tar as unknown as Readable,
          finish: async () => {
            const { files, bytes } = await contents.catch((error: unknown) => {
              throw new Unreadable(error instanceof Error ? error.message : "unreadable");
            });
            return { files, originalBytes: bytes };
          },
          close: () => Promise.resolve(void tar.destroy()),
        });
      },
    },
  ];
}

async function fill(
  tar: ReturnType<typeof pack>,
  bucket: Bucket,
  objects: readonly BucketObject[],
): Promise<Packed> {
  const count = { files: 0, bytes: 0 };
  for (const { key } of objects) {
    const object = await bucket.read(key);
    // Deleted meanwhile.
    if (object === undefined) continue;
    const { bytes, modified, type, content } = object;
    const header = { name: key, size: bytes, mtime: modified, pax: { [TYPE]: type } };
    await new Promise<void>((done, failed) => {
      const entry = tar.entry(header, (error) => (error ? failed(error) : done()));
      pipeline(content, entry as unknown as NodeJS.WritableStream).catch(failed);
    });
    count.files++;
    count.bytes += bytes;
  }
  tar.finalize();
  return count;
}

export interface RestoredFiles {
  /** Objects of the backup. */
  readonly objects: number;
  /** Of them, those that were missing or other ones. */
  readonly written: number;
  /** Prefix of those that were put aside; absent when none was. */
  readonly keptObjects?: string;
}

/** Reads an archive once, before anything is changed. @throws {Error} when it is damaged. */
export async function filesMustBeTheSame(
  { tell }: Context,
  { store, manifest }: Opened,
  { file, bytes, sha256 }: Part,
): Promise<void> {
  tell({ event: "begins", what: `is ${file} whole?`, total: bytes });
  const found = await store.measure(`${directoryOf(manifest.id)}/${file}`);
  if (found.sha256 === sha256) return;
  throw new Error(
    `${file} in the ${store.name} place is damaged: its SHA-256 is another one; ${elsewhere(store)}`,
  );
}

/**
 * Puts objects back: those that are missing or were changed since. What is changed is put aside before, below a prefix of its own, and
 * what came later stays. Interrupted, it may be asked for again.
 */
export async function restoreFiles(
  context: Context,
  opened: Opened,
  part: Part,
): Promise<RestoredFiles> {
  const { settings, signal, now, tell } = context;
  if (settings.files === undefined) throw new Error("the stack has no bucket for files");
  const bucket = new Bucket(settings.files, signal);
  const aside = `before_${idOf(now()).toLowerCase()}`;
  const count = { objects: 0, written: 0, kept: 0 };
  await readPart(context, opened, part, async (archive) => {
    const tar = extract();
    const feeding = pipeline(archive, tar);
    feeding.catch(() => undefined);
    for await (const entry of tar) {
      count.objects++;
      const was = await putBack(bucket, entry, opened.manifest.id, aside);
      if (was !== "the same") count.written++;
      if (was === "another") count.kept++;
    }
    await feeding;
  });
  if (count.objects !== part.files) {
    throw new Error(`${part.file} has ${count.objects} files, not ${part.files ?? 0}`);
  }
  const { objects, written, kept } = count;
  if (kept === 0) return { objects, written };
  tell({ event: "note", text: `${kept} files were others: those are kept below ${aside}/` });
  return { objects, written, keptObjects: aside };
}

type TarEntry = ReturnType<typeof extract> extends AsyncIterable<infer Each> ? Each : never;

/** @returns what was there before. */
async function putBack(
  bucket: Bucket,
  entry: TarEntry,
  id: string,
  aside: string,
): Promise<"nothing" | "the same" | "another"> {
  const { name, size = 0, mtime = new Date(0), pax } = entry.header;
  const there = await bucket.look(name);
  // Archives and the headers of HTTP know whole seconds.
  const isUnchanged = there && there.modified.getTime() <= mtime.getTime() + 999;
  if (there?.bytes === size && (isUnchanged || there.restored === id)) {
    entry.resume();
    return "the same";
  }
  if (there !== undefined) await bucket.copy(name, `${aside}/${name}`);
  const type = (pax as Record<string, string> | null)?.[TYPE] ?? "application/octet-stream";
  await bucket.write(name, { bytes: size, type, content: entry as unknown as Readable }, id);
  return there === undefined ? "nothing" : "another";
}

import type { Duplex } from "node:stream";
import { compress, type Context, encrypt } from "./context";
import { type Command, textOf } from "./flow";
import { directoryOf, idOf, type Manifest, MANIFEST, type Part } from "./manifest";
import { Counter } from "./measure";
import { databaseSources } from "./dump";
import { filesSource } from "./files";
import { bytesOf } from "./progress";
import { type Source, Unreadable } from "./source";
import type { Store } from "./store";
import { volumeSources } from "./volumes";

/** Not every place has the backup now. */
export class Incomplete extends Error {
  constructor(
    message: string,
    /** What some have. @default none has it */
    readonly made?: { readonly manifest: Manifest; readonly stores: readonly Store[] },
  ) {
    super(message);
  }
}

/**
 * Saves everything to every place. In each place a backup exists from when its manifest is written, which is when everything was
 * read back from there and was what had been written.
 *
 * @throws {Incomplete} when a place failed, which keeps no other from getting its backup.
 */
export async function backUp(context: Context): Promise<Manifest> {
  const { settings, stores, tell, now } = context;
  const began = now();
  const id = idOf(began);
  const sources = await sourcesOf(context);
  const failures = new Map<Store, Error>();
  const failed = (store: Store, error: unknown) => {
    context.signal.throwIfAborted();
    // What cannot be read cannot be read for any place.
    if (error instanceof Unreadable) throw error;
    const reason = error instanceof Error ? error : new Error("unknown");
    failures.set(store, reason);
    tell({ event: "failed", text: `${store.name} place: ${reason.message}` });
  };
  const parts: Part[] = [];
  for (const source of sources) {
    const living = stores.filter((store) => !failures.has(store));
    const part = await saveIn(context, source, id, living, failed);
    if (part !== undefined) parts.push(part);
  }
  const common = {
    format: 1 as const,
    id,
    stack: settings.stack,
    startedAt: began.toISOString(),
    recipient: settings.recipient,
    tools: await versions(),
  };
  let written: Manifest | undefined;
  for (const store of stores) {
    if (failures.has(store)) continue;
    const manifest = { ...common, finishedAt: now().toISOString(), parts };
    const text = `${JSON.stringify(manifest)}\n`;
    try {
      await store.putText(`${directoryOf(id)}/${MANIFEST}`, text);
      written ??= manifest;
    } catch (error) {
      failed(store, error);
    }
  }
  const lines = [...failures].map(([store, { message }]) => `${store.name} place: ${message}`);
  if (written === undefined) throw new Incomplete(`no place has the backup; ${lines.join("; ")}`);
  if (lines.length > 0) {
    const made = { manifest: written, stores: stores.filter((store) => !failures.has(store)) };
    throw new Incomplete(`not every place has backup ${id}; ${lines.join("; ")}`, made);
  }
  return written;
}

/**
 * Saves a source in every place that takes it, and tells `failed` of the others. What the first one has is read back on its way into the
 * next one.
 *
 * @returns what is in the places now; undefined when no place took it.
 */
async function saveIn(
  context: Context,
  source: Source,
  id: string,
  [first, ...others]: readonly Store[],
  failed: (store: Store, error: unknown) => void,
): Promise<Part | undefined> {
  if (first === undefined) return undefined;
  let part: Part;
  try {
    part = await save(context, source, id, first);
    let isReadBack = false;
    for (const other of others) {
      try {
        await copy(context, part, id, first, other);
      } catch (error) {
        // Either of them may be to blame.
        await readBack(context, part, id, first);
        failed(other, error);
      }
      isReadBack = true;
    }
    if (!isReadBack) await readBack(context, part, id, first);
  } catch (error) {
    failed(first, error);
    return saveIn(context, source, id, others, failed);
  }
  return part;
}

/** Reads a source into a place. */
async function save(
  { settings, tell }: Context,
  source: Source,
  id: string,
  store: Store,
): Promise<Part> {
  const { kind, name, file } = source;
  const what = `${kind} ${name}`;
  tell({ event: "begins", what: `${what} → ${store.name} place`, total: source.size });
  const reading = await source.open().catch((error: unknown) => {
    throw new Unreadable(`${what}: ${error instanceof Error ? error.message : "unreadable"}`);
  });
  try {
    const plain = new Counter(bytesOf(`${what} → ${store.name} place`, tell));
    const steps: (Command | Duplex)[] = [plain, compress, encrypt(settings.recipient)];
    const path = `${directoryOf(id)}/${file}`;
    const [stored, more] = await Promise.all([
      store.put(path, reading.from, steps),
      reading.finish(),
    ]);
    return { kind, name, file, ...stored, originalBytes: source.size, ...more };
  } finally {
    await reading.close();
  }
}

/** The same bytes for another place, and read back from there. */
async function copy(context: Context, part: Part, id: string, from: Store, to: Store) {
  const path = `${directoryOf(id)}/${part.file}`;
  const what = `${part.kind} ${part.name} → ${to.name} place`;
  context.tell({ event: "begins", what, total: part.bytes });
  const progress = new Counter(bytesOf(what, context.tell));
  const stored = await to.put(path, from.rclone("cat", from.at(path)), [progress]);
  agree(from, path, part, stored);
  await readBack(context, part, id, to);
}

async function readBack({ tell }: Context, part: Part, id: string, store: Store): Promise<void> {
  const path = `${directoryOf(id)}/${part.file}`;
  const what = `${part.kind} ${part.name} ← ${store.name} place`;
  tell({ event: "begins", what, total: part.bytes });
  agree(store, path, part, await store.measure(path));
}

function agree(
  store: Store,
  path: string,
  written: { bytes: number; sha256: string },
  read: { bytes: number; sha256: string },
): void {
  if (written.sha256 === read.sha256) return;
  throw new Error(
    `${path} is not what was written: ${read.bytes} bytes with SHA-256 ${read.sha256}, not ${written.bytes} with ${written.sha256} (${store.name} place)`,
  );
}

async function sourcesOf(context: Context): Promise<Source[]> {
  return [
    ...(await databaseSources(context)),
    ...(await volumeSources(context)),
    ...(await filesSource(context)),
  ];
}

async function versions(): Promise<Record<string, string>> {
  const first = async (...command: [string, ...string[]]) =>
    (await textOf({ command })).split("\n")[0] ?? "";
  return {
    pg_dump: await first("pg_dump", "--version"),
    zstd: await first("zstd", "--version"),
    age: await first("age", "--version"),
    rclone: await first("rclone", "version"),
  };
}

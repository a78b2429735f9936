import { PassThrough, type Readable, type Writable } from "node:stream";
import { type Context, decompress, decrypt } from "./context";
import { type Command, flow } from "./flow";
import { directoryOf, type Manifest, type Part } from "./manifest";
import { Measure } from "./measure";
import { bytesOf } from "./progress";
import { elsewhere, type Store } from "./store";

/** Where a part is, and what opens it. */
export interface PartAt {
  readonly store: Store;
  /** Of the backup. */
  readonly id: string;
  /** File with age's secret key. */
  readonly identity: string;
}

/** Where a restore reads from, and with which key. */
export interface Opened extends Omit<PartAt, "id"> {
  readonly manifest: Manifest;
}

/**
 * Reads a part of a backup, decrypted and decompressed, into a program or a stream.
 *
 * @throws {Error} when it cannot be read, or is not what was saved: what was written then is of no use.
 */
export async function readInto(
  { tell, signal }: Pick<Context, "tell" | "signal">,
  { store, id, identity }: PartAt,
  part: Part,
  to: Command | Writable,
): Promise<void> {
  const file = `${directoryOf(id)}/${part.file}`;
  const what = `${part.kind} ${part.path ?? part.name} ← ${store.name} place`;
  tell({ event: "begins", what, total: part.bytes });
  const measure = new Measure(bytesOf(what, tell));
  const steps = [measure, decrypt(identity), decompress];
  await flow(store.rclone("cat", store.at(file)), steps, to, signal).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "it failed";
    throw new Error(`${file} cannot be restored from the ${store.name} place: ${reason}`);
  });
  if (measure.sha256() === part.sha256) return;
  throw new Error(
    `${file} in the ${store.name} place is damaged: its SHA-256 is another one; ${elsewhere(store)}`,
  );
}

/** The same into a function. @throws {Error} when it is damaged or cannot be read, or what the function throws: the first of both. */
export async function readPart<T>(
  context: Pick<Context, "tell" | "signal">,
  { store, manifest, identity }: Opened,
  part: Part,
  to: (plain: Readable) => Promise<T>,
): Promise<T> {
  const plain = new PassThrough();
  const failures: Error[] = [];
  const failed = (error: unknown) => {
    failures.push(error instanceof Error ? error : new Error("it failed"));
    plain.destroy();
  };
  const reading = readInto(context, { store, id: manifest.id, identity }, part, plain).catch(
    failed,
  );
  const result = await to(plain).catch(failed);
  await reading;
  const [reason] = failures;
  if (reason !== undefined) throw reason;
  return result as T;
}

import { PassThrough, type Readable } from "node:stream";
import { type Context, decompress, decrypt } from "./context";
import { flow } from "./flow";
import { directoryOf, type Manifest, type Part } from "./manifest";
import { Measure } from "./measure";
import { bytesOf } from "./progress";
import { elsewhere } from "./restore";
import type { Store } from "./store";

/** Where a restore reads from, and with which key. */
export interface Opened {
  readonly store: Store;
  readonly manifest: Manifest;
  /** File with age's secret key, in memory. */
  readonly identity: string;
}

/** Decrypts a part. @throws {Error} when it is damaged or cannot be read. */
export async function readPart<T>(
  { tell, signal }: Context,
  { store, manifest, identity }: Opened,
  part: Part,
  to: (plain: Readable) => Promise<T>,
): Promise<T> {
  const what = `${part.kind} ${part.path ?? part.name} ← ${store.name} place`;
  const file = `${directoryOf(manifest.id)}/${part.file}`;
  tell({ event: "begins", what, total: part.bytes });
  const measure = new Measure(bytesOf(what, tell));
  const plain = new PassThrough();
  const failures: Error[] = [];
  const failed = (error: unknown) => {
    failures.push(error instanceof Error ? error : new Error("it failed"));
    plain.destroy();
  };
  const flowing = flow(
    store.rclone("cat", store.at(file)),
    [measure, decrypt(identity), decompress],
    plain,
    signal,
  ).catch((error: unknown) => {
    const words = error instanceof Error ? error.message : "it failed";
    failed(new Error(`${file} cannot be restored from the ${store.name} place: ${words}`));
  });
  const result = await to(plain).catch(failed);
  await flowing;
  const [reason] = failures;
  if (reason !== undefined) throw reason;
  if (measure.sha256() !== part.sha256) {
    throw new Error(
      `${file} in the ${store.name} place is damaged: its SHA-256 is another one; ${elsewhere(store)}`,
    );
  }
  return result as T;
}

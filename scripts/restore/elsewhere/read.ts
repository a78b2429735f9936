import type { Writable } from "node:stream";
import { type Context, decompress, decrypt } from "../../../components/backup/agent/context";
import { type Command, flow } from "../../../components/backup/agent/flow";
import { directoryOf, type Part } from "../../../components/backup/agent/manifest";
import { Measure } from "../../../components/backup/agent/measure";
import { bytesOf } from "../../../components/backup/agent/progress";
import { elsewhere } from "../../../components/backup/agent/restore";
import type { Store } from "../../../components/backup/agent/store";

/** Where a part is, and what opens it. */
export interface PartAt {
  readonly store: Store;
  /** Of the backup. */
  readonly id: string;
  /** File with age's secret key. */
  readonly identity: string;
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
  const what = `${part.kind} ${part.name} ← ${store.name} place`;
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

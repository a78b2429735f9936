import type { Context } from "./context";
import { BACKUPS, directoryOf, type Manifest, manifest, MANIFEST, timeOf } from "./manifest";
import { Damaged, manifestAt } from "./read-manifest";
import { keptBackups } from "./retention";
import type { Store } from "./store";

/** An unfinished backup may still be at work for this long. */
const UNFINISHED_MS = 24 * 3_600_000;

/** Times of the backups that a place has, newest first: those with a manifest. */
export async function backupsIn(store: Store): Promise<Map<string, Date>> {
  const found = await store.list(BACKUPS, [`*/${MANIFEST}`]);
  const ids = found.flatMap(({ path }) => path.split("/")[1] ?? []);
  const times = ids.flatMap((id) => {
    const time = timeOf(id);
    return time === undefined ? [] : [[id, time] as const];
  });
  return new Map(times.sort(([, a], [, b]) => b.getTime() - a.getTime()));
}

/**
 * @throws {Damaged} when its manifest is damaged.
 * @throws {Error} when the place has no such backup, or does not answer.
 */
export async function readManifest(store: Store, id: string): Promise<Manifest> {
  const found = await manifestOf(store, id);
  if (found !== undefined) return found;
  throw new Error(`there is no backup ${id} in the ${store.name} place`);
}

const manifestOf = (store: Store, id: string) =>
  manifestAt(
    store,
    `backup ${id}`,
    `${directoryOf(id)}/${MANIFEST}`,
    manifest.refine((one) => one.id === id),
  );

/** A backup that a place has: what its manifest says, or why it says nothing. */
export type Found =
  | { readonly id: string; readonly time: Date; readonly manifest: Manifest }
  | { readonly id: string; readonly time: Date; readonly damaged: Damaged };

/**
 * Every backup of a place, newest first. A manifest that is damaged hides no other.
 *
 * @throws {Error} when the place does not answer.
 */
export async function* manifestsIn(store: Store): AsyncGenerator<Found> {
  for (const [id, time] of await backupsIn(store)) {
    try {
      const found = await manifestOf(store, id);
      // Removed meanwhile, it is no backup any more.
      if (found !== undefined) yield { id, time, manifest: found };
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      yield { id, time, damaged: error };
    }
  }
}

export interface Pruned {
  /** Ids of what is not there any more. */
  readonly gone: readonly string[];
  /** Of what is there, or was. */
  readonly damaged: readonly Damaged[];
}

/**
 * Removes what need not be kept, and what a killed backup left. A backup whose manifest is damaged gets as old as any other, but takes no
 * other's place: beside it stays what would stay without it.
 */
export async function prune({ settings, now }: Context, store: Store): Promise<Pruned> {
  const backups = new Map<string, Date>();
  const whole: Date[] = [];
  const damaged: Damaged[] = [];
  for await (const found of manifestsIn(store)) {
    backups.set(found.id, found.time);
    if ("damaged" in found) damaged.push(found.damaged);
    else whole.push(found.time);
  }
  const kept = new Set([
    ...keptBackups([...backups.values()], settings.keep),
    ...keptBackups(whole, settings.keep),
  ]);
  const unwanted = [...backups].flatMap(([id, time]) => (kept.has(time) ? [] : [id]));
  // First the manifest: what is half removed is no backup any more.
  for (const id of unwanted) await store.remove(`${directoryOf(id)}/${MANIFEST}`);
  const all = new Set((await store.list(BACKUPS)).flatMap(({ path }) => path.split("/")[1] ?? []));
  const old = now().getTime() - UNFINISHED_MS;
  const leftovers = [...all].filter(
    (id) => !backups.has(id) && (timeOf(id)?.getTime() ?? Infinity) < old,
  );
  const gone = [...new Set([...unwanted, ...leftovers])];
  for (const id of gone) await store.removeAll(directoryOf(id));
  return { gone, damaged };
}

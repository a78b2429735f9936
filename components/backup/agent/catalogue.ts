import type { Context } from "./context";
import { keptBackups } from "./retention";
import { BACKUPS, directoryOf, type Manifest, manifest, MANIFEST, timeOf } from "./manifest";
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

/** @throws {Error} when the place has no such backup, or its manifest is damaged. */
export async function readManifest(store: Store, id: string): Promise<Manifest> {
  const text = await store.text(`${directoryOf(id)}/${MANIFEST}`);
  try {
    return manifest.parse(JSON.parse(text));
  } catch {
    throw new Error(`the manifest of backup ${id} in the ${store.name} place is damaged`);
  }
}

/** Removes what need not be kept, and what a killed backup left. @returns the ids that are gone. */
export async function prune({ settings, now }: Context, store: Store): Promise<string[]> {
  const backups = await backupsIn(store);
  const kept = keptBackups([...backups.values()], settings.keep);
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
  return gone;
}

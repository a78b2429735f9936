/** Keeps the backup that a new, empty server made of itself from being taken for the newest of what was lost. */
import { Fault } from "../../local/fault";
import { size } from "../backup/agent";
import type { StoredBackup } from "../backup/list";

type Backup = Pick<StoredBackup, "id" | "parts">;
type Part = StoredBackup["parts"][number];

/** Backups that are looked at before the newest one: an empty server may have made some. */
const BEFORE = 3;
/** Less than that half of may come and go. */
const MANY = { rows: 100, bytes: 2 ** 20 };

/**
 * A stack that was brought up anew makes the backup that was missed meanwhile, of nothing.
 *
 * @throws {Fault} when the newest backup has less than half of something that one before it has.
 */
export function mustNotBeOfNewServer(newest: Backup, all: readonly Backup[]): void {
  const older = all.filter(({ id }) => id < newest.id).sort((a, b) => (a.id < b.id ? 1 : -1));
  const ids = [...new Set(older.map(({ id }) => id))].slice(0, BEFORE);
  for (const id of ids) {
    const before = older.find((one) => one.id === id);
    const less = (before?.parts ?? []).flatMap((part) => lessOf(part, newest.parts));
    if (less.length === 0) continue;
    throw new Fault(
      `The newest backup, ${newest.id}, has much less than ${id}: ${less.join("; ")}. A server that was new and empty may have made it. Say which one you mean: --to ${id} or --to ${newest.id}`,
    );
  }
}

/**
 * @param damaged ids of backups that cannot be read, in the place or in every place.
 * @throws {Fault} when one of them is newer than the newest that can: what only it has would be left out without a word.
 */
export function mustNotHideNewer({ id }: Pick<Backup, "id">, damaged: readonly string[]): void {
  const newer = [...damaged].sort().at(-1);
  if (newer === undefined || newer <= id) return;
  throw new Fault(
    `Backup ${newer} is newer than ${id}, and damaged. Mend it, or say that you mean the one before it: --to ${id}`,
  );
}

/** What of a part is not in the newer ones; nothing when most of it is. */
function lessOf(part: Part, newer: readonly Part[]): string[] {
  const { kind, name, path, rows, originalBytes } = part;
  const now = newer.find((one) => one.kind === kind && one.name === name && one.path === path);
  const what = [kind, name, path].filter(Boolean).join(" ");
  if (kind === "database" || kind === "sqlite") {
    const left = now?.rows ?? 0;
    return rows >= MANY.rows && left < rows / 2 ? [`${what} ${left} rows instead of ${rows}`] : [];
  }
  const left = now?.originalBytes ?? 0;
  return originalBytes >= MANY.bytes && left < originalBytes / 2
    ? [`${what} ${size(left)} instead of ${size(originalBytes)}`]
    : [];
}

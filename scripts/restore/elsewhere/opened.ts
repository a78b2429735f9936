/** A place, open for reading, on a machine that has no stack. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { BACKUPS, MANIFEST } from "../../../components/backup/agent/manifest";
import { MEMORY } from "../../../components/backup/agent/context";
import { privateDirectory } from "../../../components/backup/agent/private";
import type { Tell } from "../../../components/backup/agent/progress";
import { Store } from "../../../components/backup/agent/store";
import { GIVEN_PLACE, type Place } from "../../../components/backup/settings";
import { Fault } from "../../../local/fault";

/** What each way to restore works with. */
export interface Opened {
  /** Files of one stack. */
  readonly store: Store;
  readonly stack: string;
  /** Private, in memory where there is such a directory, and gone afterwards. */
  readonly secrets: string;
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

/**
 * Lets a task read from a place.
 *
 * @param stack whose backups. @default the only one that has some there
 * @throws {Fault} when there are none, or those of several stacks.
 */
export async function within<T>(
  place: Place,
  stack: string | undefined,
  { tell, signal }: Pick<Opened, "tell" | "signal">,
  task: (opened: Opened) => Promise<T>,
): Promise<T> {
  const memory = fs.existsSync(MEMORY) ? MEMORY : tmpdir();
  const secrets = privateDirectory(memory, "archipelago-restore");
  const open = (name: string) => {
    const [store] = Store.openAll(
      { places: { [GIVEN_PLACE]: place }, stack: name },
      secrets,
      signal,
    );
    if (store === undefined) throw new Error("a place was given");
    return store;
  };
  try {
    const chosen = chosenOf(await stacksIn(open("")), stack);
    return await task({ store: open(chosen), stack: chosen, secrets, tell, signal });
  } finally {
    fs.rmSync(secrets, { recursive: true, force: true });
  }
}

/** Names of the stacks that keep something in a place. */
async function stacksIn(root: Store): Promise<string[]> {
  const found = await root.list("", [`/*/${BACKUPS}/*/${MANIFEST}`, `/*/bases/*/*/${MANIFEST}`]);
  return [...new Set(found.map((entry) => entry.path.split("/")[0] ?? ""))];
}

function chosenOf(stacks: readonly string[], wanted: string | undefined): string {
  const [only, ...others] = stacks;
  if (wanted !== undefined && stacks.includes(wanted)) return wanted;
  if (only === undefined) throw new Fault("There are no backups in that place.");
  const there = `the place has backups of ${stacks.join(", ")}`;
  if (wanted !== undefined) throw new Fault(`There are no backups of ${wanted}: ${there}.`);
  if (others.length > 0) throw new Fault(`Whose backups? Name a stack: ${there}.`);
  return only;
}

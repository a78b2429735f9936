/** Which places wait for a backup. */
import { backupsIn } from "./catalogue";
import type { Context } from "./context";
import { messageOf } from "./progress";
import type { Store } from "./store";

export interface Due {
  readonly stores: readonly Store[];
  /** Why others could not be asked: they keep none of these from getting its backup. */
  readonly away: readonly string[];
}

/**
 * Those without a backup from after the last time that one was due. What another place has already is not made for it again: one that takes
 * nothing for days fills no other.
 *
 * @param last when one was due. @default any backup will do
 */
export async function dueIn({ stores, signal }: Context, last: Date | undefined): Promise<Due> {
  const due: Store[] = [];
  const away: string[] = [];
  for (const store of stores) {
    try {
      const [newest] = (await backupsIn(store)).values();
      if (newest === undefined || (last !== undefined && newest < last)) due.push(store);
    } catch (error) {
      signal.throwIfAborted();
      away.push(`${store.name} place: ${messageOf(error)}`);
    }
  }
  return { stores: due, away };
}

/** A backup, and what is done around it. */
import { basesIn, pruneBases, systemOf, takeBase } from "./base";
import { backUp, Incomplete } from "./backup";
import { prune } from "./catalogue";
import type { Context } from "./context";
import { beatHeart } from "./heartbeat";
import { messageOf } from "./progress";
import type { Store } from "./store";

/**
 * Backs up, then removes what need not be kept. A place that fails keeps no other from any of it.
 *
 * @param away what is wrong already with places that are not asked.
 * @throws {Error} when it is not in every place; or, once it is, when something older there is damaged: then no heartbeat says that all
 *   is well.
 */
export async function run(context: Context, away: readonly string[] = []): Promise<void> {
  const { server } = context.settings;
  const wrong = [...away];
  const { manifest, stores } = await backUp(context).then(
    (made) => ({ manifest: made, stores: context.stores }),
    (error: unknown) => {
      if (!(error instanceof Incomplete) || error.made === undefined) throw error;
      wrong.push(error.message);
      return error.made;
    },
  );
  const own = { ...context, stores };
  const noted = (error: unknown) => {
    context.signal.throwIfAborted();
    wrong.push(messageOf(error));
  };
  const archived = server?.kind === "container" ? server : undefined;
  if (archived !== undefined) await takeBase(own, archived).catch(noted);
  const running = archived && (await systemOf(archived));
  for (const store of stores) wrong.push(...((await tidy(own, store, running).catch(noted)) ?? []));
  if (wrong.length === 0) await beatHeart(context);
  if (stores.length === context.stores.length) {
    const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0);
    context.tell({ event: "done", backup: manifest.id, parts: manifest.parts.length, bytes });
  }
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
}

/** Removes what a place need not keep. @returns what is damaged there. */
async function tidy(
  context: Context,
  store: Store,
  running: string | undefined,
): Promise<string[]> {
  const bases = await pruneBases(context, store, running);
  const { gone, damaged } = await prune(context, store);
  for (const id of gone) {
    context.tell({
      event: "note",
      text: `backup ${id} is not kept any longer (${store.name} place)`,
    });
  }
  return [...bases.map((each) => each.damaged), ...damaged].map(({ message }) => message);
}

/** A new server's archive is of use from its first copy on. One whose manifest is damaged is none. */
export async function beginArchive(context: Context): Promise<void> {
  const { server } = context.settings;
  if (server?.kind !== "container") return;
  const running = await systemOf(server);
  for (const store of context.stores) {
    const { whole } = await basesIn(store);
    if (!whole.some(({ system }) => system === running))
      return void (await takeBase(context, server));
  }
}

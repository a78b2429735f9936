/** A backup, and what is done around it. */
import { basesIn, pruneBases, systemOf, takeBase } from "./base";
import { backUp } from "./backup";
import { prune } from "./catalogue";
import type { Context } from "./context";
import { beatHeart } from "./heartbeat";
import type { Damaged } from "./read-manifest";

/**
 * Backs up, then removes what need not be kept.
 *
 * @throws {Error} when it is not in every place; or, once it is, when something older there is damaged: then no heartbeat says that all
 *   is well.
 */
export async function run(context: Context): Promise<void> {
  const { server } = context.settings;
  const manifest = await backUp(context);
  const archived = server?.kind === "container" ? server : undefined;
  if (archived !== undefined) await takeBase(context, archived);
  const running = archived && (await systemOf(archived));
  const damaged: Damaged[] = [];
  for (const store of context.stores) {
    const bases = await pruneBases(context, store, running);
    damaged.push(...bases.map((each) => each.damaged));
  }
  for (const store of context.stores) {
    const pruned = await prune(context, store);
    damaged.push(...pruned.damaged);
    for (const id of pruned.gone) {
      context.tell({
        event: "note",
        text: `backup ${id} is not kept any longer (${store.name} place)`,
      });
    }
  }
  if (damaged.length === 0) await beatHeart(context);
  const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0);
  context.tell({ event: "done", backup: manifest.id, parts: manifest.parts.length, bytes });
  if (damaged.length > 0) throw new Error(damaged.map(({ message }) => message).join("\n"));
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

/** What every place has, for whoever asks the agent. */
import { basesIn } from "./base";
import { manifestsIn } from "./catalogue";
import type { Context } from "./context";
import { serversOf } from "./copies";
import type { Manifest } from "./manifest";
import { messageOf } from "./progress";
import type { Store } from "./store";

/**
 * Tells of each backup and each archived server in every place, and of each manifest that is damaged: that one hides no other.
 *
 * @returns whether every place answered, and nothing in it is damaged.
 */
export async function list(context: Context): Promise<boolean> {
  let isWell = true;
  const failed = (text: string, backup?: string) => {
    isWell = false;
    context.tell({ event: "failed", text, ...(backup !== undefined && { backup }) });
  };
  for (const store of context.stores) {
    try {
      await listPlace(context, store, failed);
    } catch (error) {
      context.signal.throwIfAborted();
      failed(`${store.name} place: ${messageOf(error)}`);
    }
  }
  return isWell;
}

async function listPlace(
  { settings, tell }: Context,
  store: Store,
  failed: (text: string, backup?: string) => void,
): Promise<void> {
  const place = store.name;
  for await (const found of manifestsIn(store)) {
    if ("damaged" in found) failed(found.damaged.message, found.id);
    else tell({ event: "done", place, ...inShort(found.manifest) });
  }
  const { whole, damaged } = await basesIn(store);
  for (const each of damaged) failed(each.damaged.message);
  // Of another kind of server no moment can be restored into this stack.
  if (settings.server?.kind !== "container") return;
  for (const server of serversOf(whole)) tell({ event: "archived", place, server });
}

const inShort = ({ id, startedAt, finishedAt, recipient, parts }: Manifest) => ({
  id,
  startedAt,
  finishedAt,
  recipient,
  parts: parts.map(({ kind, name, path, bytes, originalBytes, tables = {} }) => ({
    kind,
    name,
    path,
    bytes,
    originalBytes,
    rows: Object.values(tables).reduce((sum, { rows }) => sum + rows, 0),
  })),
});

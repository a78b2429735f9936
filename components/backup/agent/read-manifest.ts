/** Manifests in a place: what they say, or that they are damaged. */
import * as path from "node:path";
import type { z } from "zod";
import type { Store } from "./store";

/** A manifest that is none, or that cannot be read in a place that answers. */
export class Damaged extends Error {
  /**
   * @param what has the manifest: `backup 20261121T021700Z`.
   * @param file the manifest.
   */
  constructor({ name }: Store, what: string, file: string) {
    super(
      `the manifest of ${what} in the ${name} place is damaged: copy ${file} from the other place, or remove ${path.posix.dirname(file)} there`,
    );
  }
}

/**
 * @param what has the manifest, for messages.
 * @returns undefined when it is not there.
 * @throws {Damaged} when it is not what `schema` says, or cannot be read.
 * @throws {Error} when the place does not answer.
 */
export async function manifestAt<T>(
  store: Store,
  what: string,
  file: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  let text: string;
  try {
    text = await store.text(file);
  } catch {
    // A place that does not answer is another thing than a file that cannot be read, and ends this.
    const there = await store.list(path.posix.dirname(file));
    if (!there.some((entry) => entry.path === file)) return undefined;
    throw new Damaged(store, what, file);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Damaged(store, what, file);
  }
}

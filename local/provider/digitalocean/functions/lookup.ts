import type { InvokeFunction } from "../../framework/provider";
import type { Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { listResult, narrow } from "../filters";

export type Invoke = InvokeFunction<ApiClient>;

/** A function that lists, filters and sorts one kind of thing. */
export const lister =
  <T>(
    key: string,
    path: string,
    apiKey: string,
    keys: readonly string[],
    map: (item: T) => Values,
  ): Invoke =>
  async (client, args) => {
    const found = await client.all<T>(path, apiKey);
    return listResult(key, narrow(found.map(map), args, keys), args);
  };

/** Exactly one of the candidates. @throws {Error} for none or several, in the official words */
export function single<T>(found: readonly T[], what: string): T {
  const [first] = found;
  if (first === undefined) {
    throw new Error(`no ${what} found`);
  }
  if (found.length > 1) {
    throw new Error(`too many matches for ${what} (found ${found.length}, expected 1)`);
  }
  return first;
}

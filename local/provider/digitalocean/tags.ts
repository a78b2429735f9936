import { set, string, type Field } from "../framework/schema";
import { texts } from "../framework/values";
import type { ApiClient } from "./client";

/** Tags keep their case but are compared without it (P tag/tags.go: HashStringIgnoreCase). */
export const tagSet = (): Field => set(string({ state: (tag) => tag.toLowerCase() }));

/** Makes the tags of a Droplet, Volume or database cluster what is wanted, creating tags that do not exist. */
export async function retag(
  client: ApiClient,
  resource: { readonly id: string; readonly type: "droplet" | "volume" | "database" },
  olds: unknown,
  news: unknown,
): Promise<void> {
  const body = { resources: [{ resource_id: resource.id, resource_type: resource.type }] };
  const [before, after] = [texts(olds), texts(news)];
  for (const name of before.filter((tag) => !after.includes(tag))) {
    await client.delete(`/tags/${encodeURIComponent(name)}/resources`, body);
  }
  for (const name of after.filter((tag) => !before.includes(tag))) {
    await client.post("/tags", { name });
    await client.post(`/tags/${encodeURIComponent(name)}/resources`, body);
  }
}

import type { ResourceType } from "../../../framework/provider";
import { string } from "../../../framework/schema";
import { text } from "../../../framework/values";
import type { ApiClient } from "../../client";
import { clusterAndName } from "./connection";

type Answer = { readonly db: { readonly name: string } };

const existing = (clusterId: string, name: string) => ({
  id: `${clusterId}/database/${name}`,
  state: { clusterId, name },
});

/** A database inside a cluster. */
export const databaseDb: ResourceType<ApiClient> = {
  inputs: {
    clusterId: string({ required: true, replace: true }),
    name: string({ replace: true }),
  },
  outputs: [],
  autoname: true,
  async create(client, inputs) {
    const clusterId = text(inputs.clusterId);
    const made = await client.post<Answer>(`/databases/${clusterId}/dbs`, { name: inputs.name });
    return existing(clusterId, made.db.name);
  },
  async read(client, id, known) {
    const [clusterId, name] = clusterAndName(id, known);
    const found = await client.find<Answer>(
      `/databases/${clusterId}/dbs/${encodeURIComponent(name)}`,
    );
    return found && existing(clusterId, found.db.name);
  },
  delete: (client, _id, { clusterId, name }) =>
    client.remove(`/databases/${text(clusterId)}/dbs/${encodeURIComponent(text(name))}`),
};

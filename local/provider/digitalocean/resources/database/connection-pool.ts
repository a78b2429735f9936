import type { ResourceType } from "../../../framework/provider";
import { number, string } from "../../../framework/schema";
import { text, type Values } from "../../../framework/values";
import type { ApiClient } from "../../client";
import { clusterAndName, connectionState, SECRET_CONNECTION, type Connected } from "./connection";

interface ApiPool extends Connected {
  readonly name: string;
  readonly mode: string;
  readonly size: number;
  readonly db: string;
  readonly user?: string;
}

type Answer = { readonly pool: ApiPool };

const MODES = ["session", "transaction", "statement"];

const existing = (pool: ApiPool, clusterId: string, known: Values) => ({
  id: `${clusterId}/${pool.name}`,
  state: {
    clusterId,
    name: pool.name,
    user: pool.user ?? "",
    mode: pool.mode,
    size: pool.size,
    dbName: pool.db,
    ...connectionState(pool, known),
  },
});

/** Every change replaces it, with a short outage (FACTS 17). */
export const databaseConnectionPool: ResourceType<ApiClient> = {
  inputs: {
    clusterId: string({ required: true, replace: true }),
    name: string({ replace: true }),
    user: string({ replace: true }),
    mode: string({ required: true, replace: true }),
    size: number({ required: true, replace: true }),
    dbName: string({ required: true, replace: true }),
  },
  outputs: ["host", "privateHost", "port", "uri", "privateUri", "password"],
  secretOutputs: SECRET_CONNECTION,
  autoname: true,
  validate: ({ mode }) =>
    typeof mode !== "string" || MODES.includes(mode)
      ? []
      : [
          {
            property: "mode",
            reason: `expected mode to be one of ${MODES.join(", ")}, got ${mode}`,
          },
        ],
  async create(client, inputs) {
    const clusterId = text(inputs.clusterId);
    const made = await client.post<Answer>(`/databases/${clusterId}/pools`, {
      name: inputs.name,
      user: inputs.user,
      mode: inputs.mode,
      size: inputs.size,
      db: inputs.dbName,
    });
    return existing(made.pool, clusterId, {});
  },
  async read(client, id, known) {
    const [clusterId, name] = clusterAndName(id, known);
    const found = await client.find<Answer>(
      `/databases/${clusterId}/pools/${encodeURIComponent(name)}`,
    );
    return found && existing(found.pool, clusterId, known);
  },
  delete: (client, _id, { clusterId, name }) =>
    client.remove(`/databases/${text(clusterId)}/pools/${encodeURIComponent(text(name))}`),
};

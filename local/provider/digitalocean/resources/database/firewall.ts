import { randomUUID } from "node:crypto";
import type { ResourceType } from "../../../framework/provider";
import { object, set, string } from "../../../framework/schema";
import { items, members, text, type Values } from "../../../framework/values";
import { isNotFound, type ApiClient } from "../../client";

interface ApiRule {
  readonly uuid: string;
  readonly type: string;
  readonly value: string;
  readonly created_at: string;
}

const path = (clusterId: string): string => `/databases/${clusterId}/firewall`;

/** The whole list is put: there is one DatabaseFirewall for a cluster (FACTS 18). */
const putRules = (client: ApiClient, clusterId: string, rules: unknown): Promise<void> =>
  client.put(path(clusterId), {
    rules: items(rules)
      .map(members)
      .map(({ type, value, uuid }) => ({ type, value, ...(uuid ? { uuid } : {}) })),
  });

const rulesState = (rules: readonly ApiRule[] | null): Values[] =>
  (rules ?? []).map(({ uuid, type, value, created_at }) => ({
    uuid,
    type,
    value,
    createdAt: created_at,
  }));

async function existing(client: ApiClient, id: string, clusterId: string) {
  const { rules } = await client.get<{ rules: ApiRule[] | null }>(path(clusterId));
  return { id, state: { clusterId, rules: rulesState(rules) } };
}

/** A cluster's trusted sources. Deleting it leaves the empty list, which opens the cluster (FACTS 18). */
export const databaseFirewall: ResourceType<ApiClient> = {
  inputs: {
    clusterId: string({ required: true, replace: true }),
    rules: set(
      object({
        type: string({ required: true }),
        value: string({ required: true }),
        uuid: string({ readOnly: true }),
        createdAt: string({ readOnly: true }),
      }),
      { required: true },
    ),
  },
  outputs: [],
  async create(client, inputs) {
    const clusterId = text(inputs.clusterId);
    await putRules(client, clusterId, inputs.rules);
    return existing(client, `${clusterId}-${randomUUID()}`, clusterId);
  },
  async read(client, id, known) {
    // Imports are given as the cluster's ID.
    const clusterId = text(known.clusterId) || id;
    try {
      return await existing(
        client,
        clusterId === id ? `${clusterId}-${randomUUID()}` : id,
        clusterId,
      );
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  },
  async update(client, id, { news }) {
    await putRules(client, text(news.clusterId), news.rules);
    return existing(client, id, text(news.clusterId));
  },
  async delete(client, _id, state) {
    try {
      await putRules(client, text(state.clusterId), []);
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
  },
};

import type { ResourceType } from "../../framework/provider";
import { boolean, number, object, set, string } from "../../framework/schema";
import { members, texts, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { tagSet } from "../tags";
import {
  notificationFields,
  notificationsFromApi,
  notificationsToApi,
  type ApiNotifications,
} from "./notifications";

interface ApiPolicy {
  readonly uuid: string;
  readonly type: string;
  readonly description: string;
  readonly compare: string;
  readonly value: number;
  readonly window: string;
  readonly enabled: boolean;
  readonly entities: readonly string[] | null;
  readonly tags: readonly string[] | null;
  readonly alerts: ApiNotifications;
}

type Answer = { readonly policy: ApiPolicy };

const request = (inputs: Values) => ({
  type: inputs.type,
  description: inputs.description,
  compare: inputs.compare,
  value: inputs.value,
  window: inputs.window,
  enabled: inputs.enabled === true,
  entities: texts(inputs.entities),
  tags: texts(inputs.tags),
  alerts: notificationsToApi(members(inputs.alerts)),
});

const existing = ({ policy }: Answer) => ({
  id: policy.uuid,
  state: {
    uuid: policy.uuid,
    type: policy.type,
    description: policy.description,
    compare: policy.compare,
    value: policy.value,
    window: policy.window,
    enabled: policy.enabled,
    entities: policy.entities ?? [],
    tags: policy.tags ?? [],
    alerts: notificationsFromApi(policy.alerts),
  },
});

/** An alert policy on the metrics of Droplets, Load Balancers or databases. */
export const monitorAlert: ResourceType<ApiClient> = {
  inputs: {
    type: string({ required: true }),
    description: string({ required: true }),
    compare: string({ required: true }),
    value: number({ required: true }),
    window: string({ required: true }),
    enabled: boolean({ default: true }),
    entities: set(string()),
    tags: tagSet(),
    alerts: object(notificationFields, { required: true }),
  },
  outputs: ["uuid"],
  create: async (client, inputs) =>
    existing(await client.post<Answer>("/monitoring/alerts", request(inputs))),
  async read(client, id) {
    const found = await client.find<Answer>(`/monitoring/alerts/${id}`);
    return found && existing(found);
  },
  update: async (client, id, { news }) =>
    existing(await client.put<Answer>(`/monitoring/alerts/${id}`, request(news))),
  delete: (client, id) => client.remove(`/monitoring/alerts/${id}`),
};

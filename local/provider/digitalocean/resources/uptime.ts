import type { ResourceType } from "../../framework/provider";
import { boolean, list, number, object, set, string } from "../../framework/schema";
import { items, members, text, texts, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import {
  notificationFields,
  notificationsFromApi,
  notificationsToApi,
  type ApiNotifications,
} from "./notifications";

interface ApiCheck {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly target: string;
  readonly regions: readonly string[] | null;
  readonly enabled: boolean;
}

interface ApiAlert {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly threshold?: number | null;
  readonly comparison?: string | null;
  readonly period?: string | null;
  readonly notifications: ApiNotifications | null;
}

type CheckAnswer = { readonly check: ApiCheck };
type AlertAnswer = { readonly alert: ApiAlert };

const checkRequest = (inputs: Values) => ({
  name: inputs.name,
  type: inputs.type,
  target: inputs.target,
  enabled: inputs.enabled === true,
  ...(items(inputs.regions).length > 0 ? { regions: texts(inputs.regions) } : {}),
});

const existingCheck = ({ check }: CheckAnswer) => ({
  id: check.id,
  state: {
    name: check.name,
    type: check.type,
    target: check.target,
    enabled: check.enabled,
    regions: check.regions ?? [],
  },
});

/** DigitalOcean asks the target from outside. Without `regions` each preview shows its own (FACTS 23). */
export const uptimeCheck: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    target: string({ required: true }),
    type: string({ default: "https" }),
    enabled: boolean({ default: true }),
    regions: set(string()),
  },
  outputs: [],
  autoname: true,
  create: async (client, inputs) =>
    existingCheck(await client.post<CheckAnswer>("/uptime/checks", checkRequest(inputs))),
  async read(client, id) {
    const found = await client.find<CheckAnswer>(`/uptime/checks/${id}`);
    return found && existingCheck(found);
  },
  update: async (client, id, { news }) =>
    existingCheck(await client.put<CheckAnswer>(`/uptime/checks/${id}`, checkRequest(news))),
  delete: (client, id) => client.remove(`/uptime/checks/${id}`),
};

const alertsPath = (checkId: unknown): string => `/uptime/checks/${text(checkId)}/alerts`;

const alertRequest = (inputs: Values) => ({
  name: inputs.name,
  type: inputs.type,
  threshold: inputs.threshold,
  comparison: inputs.comparison,
  period: inputs.period,
  notifications: notificationsToApi(members(items(inputs.notifications)[0])),
});

const existingAlert = ({ alert }: AlertAnswer) => ({
  id: alert.id,
  state: {
    name: alert.name,
    type: alert.type,
    threshold: alert.threshold ?? 0,
    comparison: alert.comparison ?? "",
    period: alert.period ?? "",
    notifications: [notificationsFromApi(alert.notifications)],
  },
});

/** Tells somebody when an {@link uptimeCheck} fails. */
export const uptimeAlert: ResourceType<ApiClient> = {
  inputs: {
    checkId: string({ required: true }),
    name: string(),
    type: string({ required: true }),
    threshold: number(),
    comparison: string(),
    period: string(),
    notifications: list(object(notificationFields), { required: true }),
  },
  outputs: [],
  autoname: true,
  create: async (client, inputs) =>
    existingAlert(await client.post<AlertAnswer>(alertsPath(inputs.checkId), alertRequest(inputs))),
  async read(client, id, known) {
    const found = await client.find<AlertAnswer>(`${alertsPath(known.checkId)}/${id}`);
    return found && existingAlert(found);
  },
  update: async (client, id, { news }) =>
    existingAlert(
      await client.put<AlertAnswer>(`${alertsPath(news.checkId)}/${id}`, alertRequest(news)),
    ),
  delete: (client, id, state) => client.remove(`${alertsPath(state.checkId)}/${id}`),
};

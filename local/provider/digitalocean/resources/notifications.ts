import { list, object, string, type Fields } from "../../framework/schema";
import { items, members, texts, type Values } from "../../framework/values";

export interface ApiNotifications {
  readonly email?: readonly string[] | null;
  readonly slack?: readonly { readonly channel: string; readonly url: string }[] | null;
}

/** Whom an alert tells: the same for alert policies and uptime alerts. */
export const notificationFields: Fields = {
  emails: list(string()),
  slacks: list(object({ channel: string({ required: true }), url: string({ required: true }) })),
};

export const notificationsToApi = (value: Values): ApiNotifications => ({
  email: texts(value.emails),
  slack: items(value.slacks)
    .map(members)
    .map(({ channel, url }) => ({ channel: String(channel), url: String(url) })),
});

export const notificationsFromApi = (alerts: ApiNotifications | null | undefined): Values => ({
  emails: (alerts?.email ?? []).filter((address) => address !== ""),
  slacks: (alerts?.slack ?? []).map(({ channel, url }) => ({ channel, url })),
});

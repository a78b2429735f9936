import type { ResourceType } from "../../../framework/provider";
import { list, object, string } from "../../../framework/schema";
import { isZero, items, members, text, type Values } from "../../../framework/values";
import type { ApiClient } from "../../client";
import { serially } from "../../serially";
import { clusterAndName } from "./connection";

export interface ApiDatabaseUser {
  readonly name: string;
  readonly role?: string;
  readonly password?: string;
  readonly access_cert?: string;
  readonly access_key?: string;
  readonly mysql_settings?: { readonly auth_plugin: string } | null;
}

type Answer = { readonly user: ApiDatabaseUser };

/** MySQL's plugin when nobody chose one. */
const DEFAULT_PLUGIN = "caching_sha2_password";

export const SECRET_USER = ["password", "accessCert", "accessKey"] as const;

/** What the API leaves out, as to a read-only token, stays as it is stored. */
export const userState = (user: ApiDatabaseUser, clusterId: string): Values => ({
  clusterId,
  name: user.name,
  role: user.role || "normal",
  ...(user.password ? { password: user.password } : {}),
  ...(user.mysql_settings ? { mysqlAuthPlugin: user.mysql_settings.auth_plugin } : {}),
  ...(user.access_cert ? { accessCert: user.access_cert } : {}),
  ...(user.access_key ? { accessKey: user.access_key } : {}),
});

const existing = (user: ApiDatabaseUser, clusterId: string) => ({
  id: `${clusterId}/user/${user.name}`,
  state: userState(user, clusterId),
});

const userPath = (clusterId: string, name: string): string =>
  `/databases/${clusterId}/users/${encodeURIComponent(name)}`;

/** DigitalOcean changes the users of a cluster one at a time (P database/resource_database_user.go: mutexKV). */
const oneAtATime = <T>(clusterId: string, work: () => Promise<T>): Promise<T> =>
  serially(`${clusterId}/users`, work);

function settingsToApi(settings: unknown): Values {
  const { acls, opensearchAcls } = members(items(settings)[0]);
  return {
    acl: items(acls)
      .map(members)
      .map(({ topic, permission }) => ({ topic, permission })),
    opensearch_acl: items(opensearchAcls)
      .map(members)
      .map(({ index, permission }) => ({ index, permission })),
  };
}

export const databaseUser: ResourceType<ApiClient> = {
  inputs: {
    clusterId: string({ required: true, replace: true }),
    name: string({ replace: true }),
    mysqlAuthPlugin: string({ same: (old, given) => old === DEFAULT_PLUGIN && isZero(given) }),
    settings: list(
      object({
        acls: list(
          object({
            id: string({ readOnly: true }),
            topic: string({ required: true }),
            permission: string({ required: true }),
          }),
        ),
        opensearchAcls: list(
          object({ index: string({ required: true }), permission: string({ required: true }) }),
        ),
      }),
    ),
  },
  outputs: ["role", "password", "accessCert", "accessKey"],
  secretOutputs: SECRET_USER,
  autoname: true,
  async create(client, inputs) {
    const clusterId = text(inputs.clusterId);
    const made = await oneAtATime(clusterId, () =>
      client.post<Answer>(`/databases/${clusterId}/users`, {
        name: inputs.name,
        ...(isZero(inputs.mysqlAuthPlugin)
          ? {}
          : { mysql_settings: { auth_plugin: inputs.mysqlAuthPlugin } }),
        ...(isZero(inputs.settings) ? {} : { settings: settingsToApi(inputs.settings) }),
      }),
    );
    return existing(made.user, clusterId);
  },
  async read(client, id, known) {
    const [clusterId, name] = clusterAndName(id, known);
    const found = await client.find<Answer>(userPath(clusterId, name));
    return found && existing(found.user, clusterId);
  },
  async update(client, _id, { news, changed }) {
    const [clusterId, name] = [text(news.clusterId), text(news.name)];
    const path = userPath(clusterId, name);
    if (changed("mysqlAuthPlugin")) {
      const plugin = text(news.mysqlAuthPlugin) || DEFAULT_PLUGIN;
      await client.post(`${path}/reset_auth`, { mysql_settings: { auth_plugin: plugin } });
    }
    if (changed("settings")) {
      await client.put(path, { settings: settingsToApi(news.settings) });
    }
    return existing((await client.get<Answer>(path)).user, clusterId);
  },
  delete: (client, _id, state) =>
    oneAtATime(text(state.clusterId), () =>
      client.remove(userPath(text(state.clusterId), text(state.name))),
    ),
};

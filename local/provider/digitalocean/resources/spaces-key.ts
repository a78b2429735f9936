import type { ResourceType } from "../../framework/provider";
import { list, object, string } from "../../framework/schema";
import { items, members, type Values } from "../../framework/values";
import type { ApiClient } from "../client";

interface ApiSpacesKey {
  readonly name: string;
  readonly access_key: string;
  readonly secret_key?: string;
  readonly grants: readonly { readonly bucket: string; readonly permission: string }[] | null;
  readonly created_at: string;
}

type Answer = { readonly key: ApiSpacesKey };

const request = (inputs: Values) => ({
  name: inputs.name,
  grants: items(inputs.grants)
    .map(members)
    .map(({ bucket, permission }) => ({ bucket, permission })),
});

const existing = (key: ApiSpacesKey) => ({
  id: key.access_key,
  state: {
    name: key.name,
    accessKey: key.access_key,
    ...(key.secret_key ? { secretKey: key.secret_key } : {}),
    grants: (key.grants ?? []).map(({ bucket, permission }) => ({ bucket, permission })),
    createdAt: key.created_at,
  },
});

/** A key for Spaces. The API tells its secret only at the creation, so that it cannot be imported (FACTS 24). */
export const spacesKey: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    grants: list(
      object({ bucket: string({ required: true }), permission: string({ required: true }) }),
    ),
  },
  outputs: ["accessKey", "secretKey", "createdAt"],
  secretOutputs: ["secretKey"],
  autoname: true,
  create: async (client, inputs) =>
    existing((await client.post<Answer>("/spaces/keys", request(inputs))).key),
  async read(client, id) {
    const keys = await client.all<ApiSpacesKey>("/spaces/keys", "keys");
    const found = keys.find((key) => key.access_key === id);
    return found && existing(found);
  },
  update: async (client, id, { news }) =>
    existing((await client.put<Answer>(`/spaces/keys/${id}`, request(news))).key),
  delete: (client, id) => client.remove(`/spaces/keys/${id}`),
};

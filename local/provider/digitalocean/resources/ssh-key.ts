import type { ResourceType } from "../../framework/provider";
import { string } from "../../framework/schema";
import { text } from "../../framework/values";
import type { ApiClient } from "../client";

interface ApiSshKey {
  readonly id: number;
  readonly name: string;
  readonly fingerprint: string;
  readonly public_key: string;
}

const existing = (key: ApiSshKey) => ({
  id: String(key.id),
  state: { name: key.name, fingerprint: key.fingerprint, publicKey: key.public_key },
});

export const sshKey: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    publicKey: string({
      required: true,
      replace: true,
      // P sshkey/resource_ssh_key.go: white space around the key means nothing.
      same: (old, given) => text(old).trim() === text(given).trim(),
    }),
  },
  outputs: ["fingerprint"],
  autoname: true,
  async create(client, inputs) {
    const made = await client.post<{ ssh_key: ApiSshKey }>("/account/keys", {
      name: inputs.name,
      public_key: inputs.publicKey,
    });
    return existing(made.ssh_key);
  },
  async read(client, id) {
    const found = await client.find<{ ssh_key: ApiSshKey }>(`/account/keys/${id}`);
    return found && existing(found.ssh_key);
  },
  async update(client, id, { news }) {
    const updated = await client.put<{ ssh_key: ApiSshKey }>(`/account/keys/${id}`, {
      name: news.name,
    });
    return existing(updated.ssh_key);
  },
  delete: (client, id) => client.remove(`/account/keys/${id}`),
};

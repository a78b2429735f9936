import { text, type Values } from "../../framework/values";
import { lister, single, type Invoke } from "./lookup";

interface ApiSshKey {
  readonly id: number;
  readonly name: string;
  readonly fingerprint: string;
  readonly public_key: string;
}

const sshKey = (one: ApiSshKey): Values => ({
  id: one.id,
  name: one.name,
  fingerprint: one.fingerprint,
  publicKey: one.public_key,
});

export const getSshKey: Invoke = async (client, args) => {
  const found = await client.all<ApiSshKey>("/account/keys", "ssh_keys");
  const named = found.filter(({ name }) => name === args.name);
  return sshKey(single(named, `ssh key with name ${text(args.name)}`));
};

const SSH_KEY_KEYS = ["id", "name", "publicKey", "fingerprint"];

export const getSshKeys = lister("sshKeys", "/account/keys", "ssh_keys", SSH_KEY_KEYS, sshKey);

export const getAccount: Invoke = async (client) => {
  const { account } = await client.get<{ account: Values }>("/account");
  return {
    id: account.uuid,
    uuid: account.uuid,
    email: account.email,
    emailVerified: account.email_verified,
    dropletLimit: account.droplet_limit,
    floatingIpLimit: account.floating_ip_limit,
    status: account.status,
    statusMessage: account.status_message,
  };
};

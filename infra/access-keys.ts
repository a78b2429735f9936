import { type AccessKey, accessKeyName } from "../components/ssh-access";
import type { Account } from "./account";
import type { Config } from "./config";

/**
 * Decides for each configured key whether the stack uses the account's or makes its own.
 *
 * The account holds each public key once (a second one is refused with 422), so a key that is there under
 * another name is used as it is, and never deleted.
 */
export function accessKeys({ stack, sshKeys }: Config, account: Account): AccessKey[] {
  const keys = sshKeys.flatMap((source): AccessKey[] => {
    if ("account" in source) {
      const { account: wanted } = source;
      const key = account.sshKeys.find(
        ({ name, fingerprint }) => name === wanted || fingerprint === wanted,
      );
      return key === undefined ? [] : [existing(key)];
    }
    const name = accessKeyName(stack, source.publicKey);
    const key = account.sshKeys.find(({ publicKey }) => body(publicKey) === source.publicKey);
    if (key !== undefined && key.name !== name) return [existing(key)];
    return [{ publicKey: source.publicKey, name }];
  });
  return [...new Map(keys.map((key) => [key.publicKey, key])).values()];
}

function existing({ publicKey, fingerprint }: Account["sshKeys"][number]): AccessKey {
  return { publicKey: body(publicKey), fingerprint };
}

/** Type and key without the comment. */
function body(publicKey: string): string {
  return publicKey.trim().split(" ").slice(0, 2).join(" ");
}

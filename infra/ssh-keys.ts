import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Fault, show } from "./faults";
import type { Surroundings } from "./stack-file";

/** Who may log in: a public key at hand, or a key that the account already has. */
export type SshKeySource =
  | { readonly publicKey: string }
  | {
      /** Name or MD5 fingerprint of a key in the account. */
      readonly account: string;
      /** Where the stack file names it. */
      readonly path: string;
    };

const PUBLIC_KEY =
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]+=*( .*)?$/;

/** The private key that connections use: ARCHIPELAGO_SSH_KEY, else OpenSSH's first default. */
export function identityFile(env: Surroundings["env"]): string {
  return env.ARCHIPELAGO_SSH_KEY ?? path.join(env.HOME ?? os.homedir(), ".ssh/id_ed25519");
}

/**
 * Finds the public keys that a stack file names.
 *
 * @param entries `archipelago:sshKeys`; absent means the public half of {@link identityFile}.
 */
export function readSshKeys(
  entries: readonly string[] | undefined,
  { env, root }: Surroundings,
): { readonly keys: SshKeySource[]; readonly faults: Fault[] } {
  const keys: SshKeySource[] = [];
  const faults: Fault[] = [];
  const fromFile = (file: string, otherwise: Fault) => {
    const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : "";
    if (PUBLIC_KEY.test(text)) keys.push({ publicKey: withoutComment(text) });
    else faults.push(otherwise);
  };
  if (entries === undefined) {
    fromFile(`${identityFile(env)}.pub`, {
      path: "archipelago:sshKeys",
      rule: "must name a public key, because your own was not found where it usually is ($ARCHIPELAGO_SSH_KEY.pub or ~/.ssh/id_ed25519.pub)",
      remedy: "make one with ssh-keygen -t ed25519, or set archipelago:sshKeys",
    });
  }
  for (const [index, entry] of (entries ?? []).entries()) {
    const where = `archipelago:sshKeys[${index}]`;
    if (PUBLIC_KEY.test(entry)) keys.push({ publicKey: withoutComment(entry) });
    else if (/PRIVATE KEY/.test(entry)) {
      faults.push({ path: where, rule: "must be a public key, and is a private one" });
    } else if (/^(~|\.{0,2})\//.test(entry)) {
      const file = path.resolve(root, entry.replace(/^~(?=\/)/, env.HOME ?? os.homedir()));
      fromFile(file, {
        path: where,
        rule: "must be a file that holds an OpenSSH public key",
        got: show(entry),
      });
    } else keys.push({ account: entry, path: where });
  }
  return { keys, faults };
}

/** Comments differ from machine to machine; without them the same key is the same text. */
function withoutComment(publicKey: string): string {
  return publicKey.split(" ").slice(0, 2).join(" ");
}

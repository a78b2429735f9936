import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { utils } from "ssh2";

/** What proves the operator to a node. Exactly one field is set. */
export interface Identity {
  /** Private key in PEM. */
  readonly privateKey?: Buffer;
  /** Socket of an SSH agent. */
  readonly agent?: string;
  /** For messages: `the key in /home/me/.ssh/id_ed25519`. */
  readonly description: string;
}

/**
 * The identities to try, in this order: the file named by ARCHIPELAGO_SSH_KEY alone when that is set, else the agent at
 * SSH_AUTH_SOCK and then `~/.ssh/id_ed25519`. Private keys are read here at each connection and kept nowhere.
 *
 * @throws {Error} when ARCHIPELAGO_SSH_KEY names no usable key, or when none of the three exists.
 */
export function findIdentities(
  environment: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): Identity[] {
  const named = environment["ARCHIPELAGO_SSH_KEY"];
  if (named) return [readKey(named, "ARCHIPELAGO_SSH_KEY")];

  const identities: Identity[] = [];
  const agent = environment["SSH_AUTH_SOCK"];
  if (agent) identities.push({ agent, description: `the agent at SSH_AUTH_SOCK=${agent}` });
  const usual = join(home, ".ssh", "id_ed25519");
  let reason = "there is none";
  try {
    identities.push(readKey(usual, "the usual key"));
  } catch (error) {
    reason = (error as Error).message;
  }
  if (identities.length === 0) {
    throw new Error(
      "no SSH key to log in with: set ARCHIPELAGO_SSH_KEY to a private key file, " +
        `or start an agent (SSH_AUTH_SOCK is not set), or create ${usual} with "ssh-keygen -t ed25519" (${reason})`,
    );
  }
  return identities;
}

/** Whether there is anything to log in with: `problem` says what is missing, and is absent when nothing is. */
export function getLogin(): { readonly problem?: string } {
  try {
    findIdentities();
    return {};
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function readKey(path: string, origin: string): Identity {
  let privateKey: Buffer;
  try {
    privateKey = readFileSync(path);
  } catch (error) {
    throw new Error(
      `${origin} ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`,
      { cause: error },
    );
  }
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) {
    const encrypted = /encrypted/i.test(parsed.message);
    throw new Error(
      encrypted
        ? `${origin} ${path} is encrypted: load it into an agent with "ssh-add ${path}", and unset ARCHIPELAGO_SSH_KEY`
        : `${origin} ${path} is not a private key in OpenSSH or PEM format`,
    );
  }
  if (!parsed.isPrivateKey()) {
    throw new Error(`${origin} ${path} is a public key: name the private one`);
  }
  return { privateKey, description: `the key in ${path}` };
}

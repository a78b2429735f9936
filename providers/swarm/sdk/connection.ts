import * as pulumi from "@pulumi/pulumi";

/** A machine that passes connections on to nodes without a public address, pinned to one host key. */
export interface JumpHost {
  /** Public IPv4 address or name. */
  readonly host: string;
  /** @default 22 */
  readonly port?: number;
  /** The only host key that is accepted: one line `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** How a node is reached: SSH as root, pinned to one host key. No login key is part of it. */
export interface Connection {
  /** Public IPv4 address or name; behind a bastion the private address. */
  readonly host: string;
  /** @default 22 */
  readonly port?: number;
  /** @default "root" */
  readonly user?: "root";
  /** The only host key that is accepted: one line `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** What passes the connection on; the node's own host key is checked behind it all the same. @default none */
  readonly bastion?: JumpHost;
}

/**
 * Whether this machine has an SSH key to log in to nodes with.
 *
 * @returns what is missing and how to get it, else undefined. The key may still be one that a node refuses.
 */
export async function loginProblem(): Promise<string | undefined> {
  const { problem } = (await pulumi.runtime.invoke("swarm:index:getLogin", {})) as {
    problem?: string;
  };
  return problem;
}

import type { ProviderArgs } from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { JumpHost } from "../providers/swarm/sdk";
import { sshOptions } from "./ssh-options";

export interface DockerConnection {
  /** Address of the node that takes the requests: a manager. */
  readonly host: string;
  /** Its permanent host key: one line `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** What passes the connection on. @default none */
  readonly bastion?: JumpHost;
}

/**
 * Arguments of the docker provider that reaches a node's engine over SSH. Unknown in the preview that
 * creates the node; the provider connects at the first change only.
 *
 * @param privateKeyFromEnv whether ARCHIPELAGO_SSH_KEY names the private key. Else ssh takes its agent or
 * defaults.
 */
export function dockerProviderArgs(
  connection: pulumi.Input<DockerConnection>,
  privateKeyFromEnv: boolean,
): ProviderArgs {
  const known = pulumi.output(connection);
  return {
    host: known.host.apply((host) => `ssh://root@${host}`),
    sshOpts: known.apply(({ hostKey, bastion }) => sshOptions(hostKey, privateKeyFromEnv, bastion)),
  };
}

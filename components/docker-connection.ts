import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { ProviderArgs } from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

export interface DockerConnection {
  /** Address of the node that takes the requests: a manager. */
  readonly host: string;
  /** Its permanent host key: one line `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
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
    sshOpts: known.hostKey.apply((hostKey) => sshOptions(hostKey, privateKeyFromEnv)),
  };
}

/**
 * Options of ssh, pinned to one host key. They hold no path of this machine: what differs from machine to
 * machine would be a change of the stack in each place it runs.
 */
export function sshOptions(hostKey: string, privateKeyFromEnv: boolean): string[] {
  const [type = "", key = ""] = hostKey.trim().split(" ");
  const options = {
    // The one accepted key; %H is the name that ssh looks up.
    KnownHostsCommand: `/usr/bin/printf '%%s %%s %%s\\n' %H ${type} ${key}`,
    UserKnownHostsFile: "/dev/null",
    GlobalKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "yes",
    HostKeyAlgorithms: type,
    BatchMode: "yes",
    ConnectTimeout: "15",
    ServerAliveInterval: "5",
    ServerAliveCountMax: "3",
    // One connection for all requests. Its socket is named for the host key too, so that a new machine
    // at an old address never meets the connection of its predecessor.
    ControlMaster: "auto",
    ControlPath: `~/.ssh/ap-${shortHash(hostKey)}-%C`,
    ControlPersist: "15",
    ...(privateKeyFromEnv && { IdentityFile: "${ARCHIPELAGO_SSH_KEY}", IdentitiesOnly: "yes" }),
  };
  return Object.entries(options).flatMap(([option, value]) => ["-o", `${option}=${value}`]);
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 6);
}

/**
 * Makes the directory of the connection's socket, as ssh itself would for its known hosts. ssh gives up
 * when it is missing.
 */
export function prepareSshDirectory(): void {
  fs.mkdirSync(path.join(os.userInfo().homedir, ".ssh"), { recursive: true, mode: 0o700 });
}

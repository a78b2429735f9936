import { createHash } from "node:crypto";
import type { JumpHost } from "../providers/swarm/sdk";

/**
 * Options of ssh, pinned to one host key. They hold no path of this machine: what differs from machine to
 * machine would be a change of the stack in each place it runs.
 *
 * @param bastion what passes the connection on. @default none
 */
export function sshOptions(
  hostKey: string,
  privateKeyFromEnv: boolean,
  bastion?: JumpHost,
): string[] {
  return words({
    ...pinned(hostKey),
    // One connection for all requests. Its socket is named for the host key too, so that a new machine
    // at an old address never meets the connection of its predecessor.
    ControlMaster: "auto",
    ControlPath: `~/.ssh/ap-${shortHash(hostKey)}-%C`,
    ControlPersist: "15",
    ...(privateKeyFromEnv && KEY_FROM_ENV),
    ...(bastion && { ProxyCommand: proxyCommand(bastion, privateKeyFromEnv) }),
  });
}

/** ssh puts the variable in itself. */
const KEY_FROM_ENV = { IdentityFile: "${ARCHIPELAGO_SSH_KEY}", IdentitiesOnly: "yes" };

function pinned(hostKey: string): Record<string, string> {
  const [type = "", key = ""] = hostKey.trim().split(" ");
  return {
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
  };
}

/**
 * `ssh -J` with the bastion's key pinned as the node's is, which that cannot be given. The bastion passes bytes on and gets
 * no agent; the node's key is checked at this end.
 */
function proxyCommand({ host, port = 22, hostKey }: JumpHost, privateKeyFromEnv: boolean): string {
  const options = words({
    ...pinned(hostKey),
    ...(privateKeyFromEnv && KEY_FROM_ENV),
    ForwardAgent: "no",
    LogLevel: "ERROR",
    // It lives and dies with the connection that it carries.
    ControlPath: "none",
  });
  const command = ["ssh", ...options, "-p", String(port), "-l", "root", "-W", "[%h]:%p", host];
  // For ssh, which replaces %h and %p only, and the shell that it gives the command to.
  return command.map((word) => (word === "[%h]:%p" ? word : quoted(word))).join(" ");
}

const quoted = (word: string) =>
  /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''").replaceAll("%", "%%")}'`;

function words(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).flatMap(([option, value]) => ["-o", `${option}=${value}`]);
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 6);
}

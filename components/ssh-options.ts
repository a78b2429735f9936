import { createHash } from "node:crypto";

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

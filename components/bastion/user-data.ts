import * as fs from "node:fs";
import * as path from "node:path";
import {
  BOUNDED_JOURNAL,
  type BootKey,
  cloudConfig,
  LIBRARY,
  SECURITY_UPDATES,
  sshdSettings,
} from "../node/cloud-config";

/**
 * The cloud-config that turns a fresh Debian or Ubuntu into a bastion: sshd passes connections on to other machines' sshd
 * and to nothing else, and nothing but sshd runs.
 *
 * @param hostKey absent where no machine will run.
 */
export function bastionUserData(hostKey?: BootKey): string {
  const setup = `${LIBRARY}/setup`;
  return cloudConfig({
    hostKey,
    files: [
      {
        path: setup,
        permissions: "0755",
        content: fs.readFileSync(path.join(__dirname, "setup"), "utf8"),
      },
      sshdSettings([
        "AllowAgentForwarding no",
        "AllowStreamLocalForwarding no",
        "PermitTunnel no",
        "PermitOpen *:22",
        // Each connection to a node is a session of one connection to here, or a connection of its own.
        "MaxStartups 100:30:200",
        "MaxSessions 500",
      ]),
      BOUNDED_JOURNAL,
      SECURITY_UPDATES,
    ],
    command: [setup],
  });
}

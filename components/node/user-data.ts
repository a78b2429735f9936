import * as fs from "node:fs";
import * as path from "node:path";
import { DOCKER_RANGES } from "../../infra/addresses";
import { VOLUME_MOUNT } from "../../infra/names";
import {
  BOUNDED_JOURNAL,
  type BootKey,
  cloudConfig,
  file,
  LIBRARY,
  SECURITY_UPDATES,
  sshdSettings,
  type WrittenFile,
} from "./cloud-config";

export interface UserDataArgs {
  /** Name of the Volume that the node mounts when it is attached. */
  readonly volumeName: string;
  /** Absent where no machine will run. */
  readonly hostKey?: BootKey;
}

/**
 * The cloud-config that turns a fresh Debian or Ubuntu into a node. The same arguments give the same
 * text, and it is the same in every topology, so that it never asks for a new Droplet.
 *
 * @throws {Error} when it would be larger than DigitalOcean takes.
 */
export function userData({ volumeName, hostKey }: UserDataArgs): string {
  return cloudConfig({
    hostKey,
    files: [...scripts(), ...settings(), ...units(volumeName)],
    command: [`${LIBRARY}/setup`, VOLUME_MOUNT],
  });
}

function scripts(): WrittenFile[] {
  const names = ["setup", "keep-data-mounted", "guard-metadata", "check-disks", "prune-images"];
  return names.map((name) => ({
    path: `${LIBRARY}/${name}`,
    permissions: "0755",
    content: fs.readFileSync(path.join(__dirname, "files", name), "utf8"),
  }));
}

function settings(): WrittenFile[] {
  return [
    // Docker's clients open a connection per request, which the default of ten starting sessions refuses.
    sshdSettings(["MaxStartups 100:30:200", "MaxSessions 100"]),
    {
      path: "/etc/docker/daemon.json",
      permissions: "0644",
      content: `${JSON.stringify(dockerDaemon(), undefined, 2)}\n`,
    },
    // Docker stops before the Volume is unmounted.
    file("/etc/systemd/system/docker.service.d/20-archipelago.conf", [
      "[Unit]",
      `After=archipelago-data.service ${mountUnit(VOLUME_MOUNT)}`,
    ]),
    // Only settings of a network namespace: a local machine shares the others with its host.
    file("/etc/sysctl.d/90-archipelago.conf", [
      "net.core.somaxconn = 4096",
      "net.ipv4.ip_local_port_range = 10240 60999",
      "net.ipv4.tcp_keepalive_time = 300",
    ]),
    BOUNDED_JOURNAL,
    SECURITY_UPDATES,
  ];
}

/** https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file */
function dockerDaemon() {
  return {
    bip: DOCKER_RANGES.bridge.replace(".0.0/", ".0.1/"),
    "default-address-pools": [{ base: DOCKER_RANGES.bridges, size: 24 }],
    "log-driver": "json-file",
    "log-opts": { "max-size": "10m", "max-file": "3" },
    // Swarm refuses it.
    "live-restore": false,
    // Time for databases to stop when the machine does.
    "shutdown-timeout": 60,
  };
}

function units(volumeName: string): WrittenFile[] {
  const device = `/dev/disk/by-id/scsi-0DO_Volume_${volumeName}`;
  return [
    unit("archipelago-data.service", {
      Unit: { Description: "Keeps the data Volume mounted" },
      Service: {
        ExecStart: `${LIBRARY}/keep-data-mounted ${device} ${VOLUME_MOUNT}`,
        Restart: "always",
        RestartSec: 5,
      },
      Install: { WantedBy: "multi-user.target" },
    }),
    unit("archipelago-metadata-guard.service", {
      Unit: {
        Description: "Keeps containers from the metadata service",
        After: "docker.service",
        PartOf: "docker.service",
      },
      Service: { Type: "oneshot", RemainAfterExit: "yes", ExecStart: `${LIBRARY}/guard-metadata` },
      Install: { WantedBy: "docker.service" },
    }),
    ...timer("archipelago-disk-alarm", "Alarms when a disk fills up", {
      command: `${LIBRARY}/check-disks / ${VOLUME_MOUNT}`,
      schedule: { OnBootSec: "2min", OnUnitActiveSec: "5min" },
    }),
    ...timer("archipelago-prune", "Removes unused images", {
      command: `${LIBRARY}/prune-images`,
      schedule: { OnCalendar: "daily", RandomizedDelaySec: "1h" },
    }),
  ];
}

type Section = Readonly<Record<string, string | number>>;

function timer(
  name: string,
  description: string,
  { command, schedule }: { readonly command: string; readonly schedule: Section },
): WrittenFile[] {
  return [
    unit(`${name}.service`, {
      Unit: { Description: description },
      Service: { Type: "oneshot", ExecStart: command },
    }),
    unit(`${name}.timer`, {
      Unit: { Description: description },
      Timer: schedule,
      Install: { WantedBy: "timers.target" },
    }),
  ];
}

function unit(name: string, sections: Readonly<Record<string, Section>>): WrittenFile {
  const lines = Object.entries(sections).flatMap(([section, entries]) => [
    `[${section}]`,
    ...Object.entries(entries).map(([key, value]) => `${key}=${value}`),
    "",
  ]);
  return file(`/etc/systemd/system/${name}`, lines.slice(0, -1));
}

/** `/mnt/data` → `mnt-data.mount`, for paths without special characters. */
function mountUnit(mountPoint: string): string {
  return `${mountPoint.slice(1).replaceAll("/", "-")}.mount`;
}

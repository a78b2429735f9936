import { parse } from "yaml";
import { userData } from "../../components/node/user-data";

interface CloudConfig {
  readonly ssh_keys?: Record<string, string>;
  readonly ssh_pwauth: boolean;
  readonly write_files: readonly { path: string; permissions: string; content: string }[];
  readonly runcmd: readonly string[][];
}

const hostKey = { publicKey: "ssh-ed25519 AAAA", privateKey: "-----BEGIN KEY-----\nx\n" };
const text = userData({ volumeName: "app-data", hostKey });
const config = parse(text) as CloudConfig;
const file = (path: string) =>
  config.write_files.find((entry) => entry.path === path)?.content ?? "";

test("user data never changes by itself, or every Droplet would differ from its plan", () => {
  expect(userData({ volumeName: "app-data", hostKey })).toBe(text);
  expect(text).toMatchSnapshot();
});

test("user data is small enough for DigitalOcean and is a cloud-config", () => {
  expect(text.startsWith("#cloud-config\n")).toBe(true);
  expect(Buffer.byteLength(text)).toBeLessThan(64 * 1024);
});

test("the only secret in user data is the one-time host key", () => {
  expect(config.ssh_keys).toEqual({
    ed25519_private: hostKey.privateKey,
    ed25519_public: hostKey.publicKey,
  });
  expect(text.replace(hostKey.privateKey.split("\n")[0] ?? "", "")).not.toMatch(
    /PRIVATE KEY|SWMTKN|dop_v1|password:/i,
  );
  expect(userData({ volumeName: "app-data" })).not.toContain("ssh_keys");
});

test("sshd takes keys only, and enough connections for Docker's clients", () => {
  expect(config.ssh_pwauth).toBe(false);
  const sshd = file("/etc/ssh/sshd_config.d/10-archipelago.conf");
  expect(sshd).toContain("PasswordAuthentication no");
  expect(sshd).toContain("MaxStartups 100:30:200");
});

test("a failing step fails cloud-init: one script, which stops at the first error", () => {
  expect(config.runcmd).toEqual([["/usr/local/lib/archipelago/setup", "/mnt/data"]]);
  const setup = file("/usr/local/lib/archipelago/setup");
  expect(setup).toMatch(/^#!\/bin\/sh\n(#.*\n)*set -eu\n/);
  expect(setup).not.toMatch(/\|\| (true|:)/);
});

test("Docker keeps off the VPC's addresses and bounds its logs", () => {
  expect(JSON.parse(file("/etc/docker/daemon.json"))).toEqual({
    bip: "172.17.0.1/16",
    "default-address-pools": [{ base: "172.18.0.0/15", size: 24 }],
    "log-driver": "json-file",
    "log-opts": { "max-size": "10m", "max-file": "3" },
    "live-restore": false,
    "shutdown-timeout": 60,
  });
});

test("the Volume is mounted whenever it appears, by a name that survives reboots", () => {
  expect(file("/etc/systemd/system/archipelago-data.service")).toContain(
    "ExecStart=/usr/local/lib/archipelago/keep-data-mounted /dev/disk/by-id/scsi-0DO_Volume_app-data /mnt/data\n",
  );
});

test("containers are kept from the metadata service after every start of Docker", () => {
  expect(file("/usr/local/lib/archipelago/guard-metadata")).toContain(
    "-d 169.254.169.254/32 -j DROP",
  );
  expect(file("/etc/systemd/system/archipelago-metadata-guard.service")).toContain(
    "PartOf=docker.service",
  );
});

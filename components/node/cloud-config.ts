import { stringify } from "yaml";

/** DigitalOcean's limit. https://docs.digitalocean.com/products/droplets/how-to/provide-user-data/ */
const MAX_BYTES = 64 * 1024;

/** Directory of our scripts on a machine. */
export const LIBRARY = "/usr/local/lib/archipelago";

/** One-time SSH host key, good for the first connection, which replaces it (decision 9). */
export interface BootKey {
  readonly publicKey: string;
  /** OpenSSH PEM. */
  readonly privateKey: string;
}

export interface WrittenFile {
  readonly path: string;
  readonly permissions: string;
  readonly content: string;
}

export interface CloudConfig {
  /** The private half is the only secret in user data. Absent where no machine will run. */
  readonly hostKey: BootKey | undefined;
  readonly files: readonly WrittenFile[];
  /** Command and arguments of what runs last. */
  readonly command: readonly string[];
}

/**
 * The cloud-config of a machine that root logs in to, by key.
 *
 * @throws {Error} when it would be larger than DigitalOcean takes.
 */
export function cloudConfig({ hostKey, files, command }: CloudConfig): string {
  const document = {
    disable_root: false,
    ssh_pwauth: false,
    // Without keys of ours, cloud-init makes its own; nothing could verify those.
    ...(hostKey && {
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
    }),
    write_files: files,
    runcmd: [command],
  };
  const text = `#cloud-config\n${stringify(document, { lineWidth: 0 })}`;
  if (Buffer.byteLength(text) >= MAX_BYTES) {
    throw new Error(`user data must be smaller than ${MAX_BYTES} bytes, got ${text.length}`);
  }
  return text;
}

export function file(path: string, lines: readonly string[]): WrittenFile {
  return { path, permissions: "0644", content: `${lines.join("\n")}\n` };
}

/** Read before the image's own and cloud-init's files; sshd keeps the first value it sees. */
export const sshdSettings = (more: readonly string[]): WrittenFile =>
  file("/etc/ssh/sshd_config.d/10-archipelago.conf", [
    "HostKey /etc/ssh/ssh_host_ed25519_key",
    "PermitRootLogin prohibit-password",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "X11Forwarding no",
    ...more,
  ]);

export const BOUNDED_JOURNAL = file("/etc/systemd/journald.conf.d/archipelago.conf", [
  "[Journal]",
  "SystemMaxUse=200M",
]);

/** Security updates by themselves, except Docker's: those restart every container. */
export const SECURITY_UPDATES = file("/etc/apt/apt.conf.d/52archipelago", [
  'APT::Periodic::Update-Package-Lists "1";',
  'APT::Periodic::Unattended-Upgrade "1";',
  'Unattended-Upgrade::Package-Blacklist { "^docker\\.io$"; "^containerd$"; "^runc$"; };',
  'Unattended-Upgrade::Remove-Unused-Dependencies "true";',
]);

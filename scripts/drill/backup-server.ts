/** A server that is none of the stack's, in its VPC: keeps backups by SFTP, and takes mail. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { Host } from "../adopt/data/host";
import type { Watched } from "./alarm";
import type { Ground } from "./ground";
import { until } from "./until";

const NAME = "backup-server";
const USER = "keeper";
const DIRECTORY = `/home/${USER}/backups`;
const MAIL_PORT = 2525;

/** Until a Droplet has booted, on a busy machine. */
const BOOT_SECONDS = 300;

interface Droplet {
  readonly id: number;
  readonly vpc_uuid: string;
  readonly networks: { readonly v4: readonly { ip_address: string; type: string }[] };
}

export class BackupServer {
  private constructor(
    private readonly ground: Ground,
    readonly id: number,
    private readonly publicAddress: string,
    private readonly privateAddress: string,
    private readonly vpcRange: string,
    /** Lines of ssh-keyscan without the host's name. */
    private readonly hostKeys: string,
    /** Private key of who keeps files there. */
    readonly keyFile: string,
    /** The administrator's. */
    private readonly rootKeyFile: string,
  ) {}

  /** Makes a Droplet where the stack's own are. */
  static async open(ground: Ground): Promise<BackupServer> {
    const [keyFile, rootKeyFile] = [newKey("backup-server-keeper"), newKey("backup-server-root")];
    const { droplets } = await ground.api<{ droplets: Droplet[] }>("GET", "/v2/droplets");
    const vpc = droplets[0]?.vpc_uuid;
    const { vpc: network } = await ground.api<{ vpc: { ip_range: string } }>(
      "GET",
      `/v2/vpcs/${vpc}`,
    );
    const { droplet } = await ground.api<{ droplet: { id: number } }>("POST", "/v2/droplets", {
      name: NAME,
      region: "fra1",
      size: "s-1vcpu-1gb",
      image: "debian-12-x64",
      vpc_uuid: vpc,
      user_data: userData(readPublic(keyFile), readPublic(rootKeyFile)),
    });
    const addressOf = async (type: string) => {
      const { droplet: made } = await ground.api<{ droplet: Droplet }>(
        "GET",
        `/v2/droplets/${droplet.id}`,
      );
      return made.networks.v4.find((each) => each.type === type)?.ip_address ?? "";
    };
    await until("address", BOOT_SECONDS, async () => (await addressOf("private")) !== "");
    const [publicAddress, privateAddress] = [await addressOf("public"), await addressOf("private")];
    let hostKeys = "";
    await until("host keys", BOOT_SECONDS, () => {
      hostKeys = scan(publicAddress);
      return Promise.resolve(hostKeys !== "");
    });
    const server = new BackupServer(
      ground,
      droplet.id,
      publicAddress,
      privateAddress,
      network.ip_range,
      hostKeys,
      keyFile,
      rootKeyFile,
    );
    await until("mail server", BOOT_SECONDS, async () => {
      return server.root().succeeds(`ss -tln | grep -q ':${MAIL_PORT} '`);
    });
    return server;
  }

  /** `backup.second` of a stack file. */
  get second(): Readonly<Record<string, unknown>> {
    const key = fs.readFileSync(this.keyFile, "utf8");
    const { privateAddress: host, hostKeys: hostKey } = this;
    return { sftp: { host, user: USER, path: DIRECTORY, hostKey, key } };
  }

  /** `backup.alarm.mail` of a stack file. */
  get mail(): Readonly<Record<string, unknown>> {
    return {
      host: this.privateAddress,
      port: MAIL_PORT,
      tls: "none",
      from: "archipelago@drill.example",
      to: ["team@drill.example"],
    };
  }

  /** For somebody who has no stack, on this machine. */
  get url(): string {
    return `sftp://${USER}@${this.publicAddress}${DIRECTORY}`;
  }

  /** File of its host keys, as they are in ~/.ssh/known_hosts. */
  knownHosts(): string {
    const file = `${this.keyFile}.known-hosts`;
    const lines = this.hostKeys.split("\n").map((line) => `${this.publicAddress} ${line}\n`);
    fs.writeFileSync(file, lines.join(""));
    return file;
  }

  /** Who gets its mail, and its SSH server, which turns the stack away when it shall be silent. */
  readonly watched: Watched = {
    heard: () => this.mails(),
    silence: async (isSilent) => {
      const rule = `INPUT -p tcp --dport 22 -s ${this.vpcRange} -j REJECT`;
      const host = this.root();
      await host.output(`while iptables -D ${rule} 2>/dev/null; do :; done`);
      if (isSilent) await host.output(`iptables -I ${rule}`);
    },
  };

  async close(): Promise<void> {
    await this.ground.api("DELETE", `/v2/droplets/${this.id}`);
  }

  private async mails(): Promise<string[]> {
    const log = await this.root().output("journalctl -u mail -o cat");
    return log.split("MESSAGE FOLLOWS").slice(1).map(decoded);
  }

  private root(): Host {
    const hostKey = this.hostKeys.split("\n").find((line) => line.startsWith("ssh-ed25519")) ?? "";
    return Host.ssh(`root@${this.publicAddress}`, { hostKey, identity: this.rootKeyFile });
  }
}

/** smtpd prints a line of a message as Python would, and quoted-printable goes on in the next line. */
const decoded = (message: string): string =>
  message
    .split("\n")
    .map((line) => /^b(['"])(.*)\1$/.exec(line)?.[2] ?? "")
    .join("\n")
    .replaceAll("=\n", "");

/** JSON is YAML. */
function userData(publicKey: string, rootKey: string): string {
  const cloudConfig = {
    users: [
      { name: USER, shell: "/bin/sh", ssh_authorized_keys: [publicKey] },
      { name: "root", ssh_authorized_keys: [rootKey] },
    ],
    disable_root: false,
    runcmd: [
      `systemd-run --unit=mail python3 -u -W ignore -m smtpd -n -c DebuggingServer 0.0.0.0:${MAIL_PORT}`,
    ],
  };
  return `#cloud-config\n${JSON.stringify(cloudConfig)}`;
}

/** @returns the file of a new private key. */
function newKey(name: string): string {
  const file = path.join(process.env.ARCHIPELAGO_LOCAL_DIR ?? "", name);
  for (const old of [file, `${file}.pub`]) fs.rmSync(old, { force: true });
  const { status } = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  if (status !== 0) throw new Error("ssh-keygen made no key");
  return file;
}

const readPublic = (file: string) => fs.readFileSync(`${file}.pub`, "utf8").trim();

/** All host keys of a server, a line each; empty when it does not answer yet. */
function scan(address: string): string {
  const { stdout } = spawnSync("ssh-keyscan", ["-T", "5", address], { encoding: "utf8" });
  return stdout
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" ").slice(1).join(" "))
    .join("\n");
}

import { request } from "node:https";
import type Docker from "dockerode";
import type { RegistrySpec } from "../machines";
import { type BodyHost, ensureBody, isSettled, removeBody, settingsDigest, settle } from "./body";
import { orMissing } from "./engine";
import { archive, type ArchiveFile } from "./files";
import { onLoopback } from "./loopback-port";
import { objectLabels, objectName } from "./names";
import type { NetworkControl } from "./network-control";
import { PORT_LABEL } from "./services";

const CONFIG_DIR = "/etc/archipelago/registry";
const MEMORY = 512 * 2 ** 20;
const START_TIMEOUT_MS = 20_000;

/**
 * The account's container registry: Docker's own, behind TLS and a password, on a loopback port of this
 * machine that the network rules lead Droplets to. Its images lie on a Docker volume.
 */
export class Registry {
  constructor(
    private readonly docker: Docker,
    private readonly host: BodyHost,
    private readonly network: NetworkControl,
  ) {}

  /**
   * @param registry undefined removes it with its images; fine when there is none.
   * @returns the loopback port; another one than before only where that was taken.
   */
  apply(registry: RegistrySpec | undefined): Promise<number | undefined> {
    return this.host.turns.take("registry", async () => {
      if (registry === undefined) {
        await this.network.openRegistry(undefined);
        await removeBody(this.docker, this.name);
        await orMissing(this.docker.getVolume(this.name).remove());
        return undefined;
      }
      const port = await onLoopback(this.docker, this.name, "the container registry", (port) =>
        this.serve(registry, port),
      );
      await this.network.openRegistry({ host: registry.host, port });
      return port;
    });
  }

  /** @throws {Error} when there ought to be one and its images are gone. */
  async restore(registry: RegistrySpec | undefined): Promise<void> {
    if (registry === undefined) return;
    const volume = await orMissing(this.docker.getVolume(this.name).inspect());
    if (volume === undefined) throw new Error("its images are gone");
    await this.apply(registry);
  }

  private async serve(registry: RegistrySpec, port: number): Promise<boolean> {
    const container = this.docker.getContainer(this.name);
    const Labels = objectLabels(this.host.instance, "registry");
    const files = registryFiles(registry, port);
    const digest = settingsDigest(files);
    await this.docker.createVolume({ Name: this.name, Labels });
    const options = {
      name: this.name,
      Image: this.host.image,
      Cmd: ["sh", `${CONFIG_DIR}/start`],
      Env: ["OTEL_TRACES_EXPORTER=none"],
      Labels: { ...Labels, [PORT_LABEL]: String(port) },
      HostConfig: {
        NetworkMode: "host",
        Memory: MEMORY,
        MemorySwap: MEMORY,
        Binds: [`${this.name}:/var/lib/registry`],
        RestartPolicy: { Name: "unless-stopped" },
        LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
      },
    };
    if ((await ensureBody(this.docker, options, files)) === "found") {
      if ((await isSettled(container, digest)) && (await answers(port))) return true;
      await container.putArchive(await archive(files), { path: "/" });
      await container.restart({ t: 10 });
    }
    if (!(await answers(port))) return false;
    await settle(container, digest);
    return true;
  }

  /** Of its container, and of its volume. */
  private get name(): string {
    return objectName(this.host.instance, "registry");
  }
}

function registryFiles(
  { username, password, tls }: RegistrySpec,
  port: number,
): readonly ArchiveFile[] {
  return [
    { name: "start", content: START },
    { name: "config.yml", content: config(port) },
    { name: "login", content: `${username}\n${password}\n` },
    { name: "server.crt", content: tls.certificatePem },
    { name: "server.key", content: tls.keyPem },
  ].map(({ name, content }) => ({ name: `${CONFIG_DIR.slice(1)}/${name}`, content, mode: 0o600 }));
}

/** The registry wants bcrypt, which Perl's crypt has. At the least cost: each request is checked anew. */
const START = `set -eu
umask 077
cd ${CONFIG_DIR}
perl -e '
  my @digits = (".", "/", "A".."Z", "a".."z", "0".."9");
  open my $random, "<", "/dev/urandom" or die;
  read $random, my $bytes, 22;
  my $salt = join "", map { $digits[ord($_) % 64] } split //, $bytes;
  chomp(my $user = <STDIN>);
  chomp(my $password = <STDIN>);
  print $user, ":", crypt($password, "\\$2y\\$04\\$$salt"), "\\n";
' < login > htpasswd
exec docker-registry serve ${CONFIG_DIR}/config.yml
`;

/** https://distribution.github.io/distribution/about/configuration/; JSON is YAML. */
function config(port: number): string {
  return JSON.stringify({
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: "/var/lib/registry" },
      delete: { enabled: true },
    },
    auth: { htpasswd: { realm: "registry", path: `${CONFIG_DIR}/htpasswd` } },
    http: {
      addr: `127.0.0.1:${port}`,
      tls: { certificate: `${CONFIG_DIR}/server.crt`, key: `${CONFIG_DIR}/server.key` },
    },
  });
}

/** Whether a registry that wants a password answers on a loopback port before time is up. */
async function answers(port: number): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if ((await statusOf(port)) === 401) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

function statusOf(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    // Nothing is sent that matters; clients, which send passwords, verify the certificate.
    const options = { host: "127.0.0.1", port, path: "/v2/", rejectUnauthorized: false };
    const asked = request({ ...options, agent: false, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import Docker from "dockerode";
import { items, members, text, texts, type Values } from "../framework/values";
import { SshAgent, sshArguments } from "./ssh-agent";

const DEFAULT_HOST = "unix:///var/run/docker.sock";
/** Docker Hub's key in registry credentials. */
const DOCKER_HUB = "registry-1.docker.io";

export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly serveraddress?: string;
}

/**
 * A Docker engine that is connected to at the first use, so that a preview needs no connection.
 *
 * The first use pings, unless `disableDockerDaemonCheck` is set.
 */
export class DockerClient {
  private connected: Promise<Docker> | undefined;

  constructor(
    private readonly config: Values,
    readonly signal: AbortSignal,
  ) {}

  /** @throws {Error} with the host, and with ssh's words where it connects by SSH */
  engine(): Promise<Docker> {
    this.connected ??= this.connect();
    return this.connected;
  }

  /** Credentials of the registry an image reference points to, from the provider's `registryAuth`. */
  authOf(image: string): RegistryAuth | undefined {
    const registry = registryOf(image);
    const entry = this.registryEntry(registry);
    if (!entry || entry.authDisabled === true) {
      return undefined;
    }
    const serveraddress = text(entry.address);
    if (entry.username || entry.password) {
      return { username: text(entry.username), password: text(entry.password), serveraddress };
    }
    return fromConfigFile(configFile(entry), registry, serveraddress);
  }

  /**
   * Credentials to push with; those of a registry without any are empty, as the engine wants some.
   *
   * @throws {Error} when `registryAuth` does not name the registry, in the official words
   */
  authToPush(image: string): RegistryAuth {
    const registry = registryOf(image);
    if (!this.registryEntry(registry)) {
      throw new Error(
        `no auth config found for registry ${registry}: name it in the docker provider's registryAuth`,
      );
    }
    return this.authOf(image) ?? {};
  }

  private registryEntry(registry: string): Values | undefined {
    return items(setting(this.config.registryAuth))
      .map(members)
      .find((one) => normalAddress(text(one.address)) === registry);
  }

  private async connect(): Promise<Docker> {
    const host = text(this.config.host) || process.env.DOCKER_HOST || DEFAULT_HOST;
    const docker = new Docker(connection(host, texts(setting(this.config.sshOpts))));
    if (text(this.config.disableDockerDaemonCheck) !== "true") {
      try {
        await docker.ping();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`error pinging Docker server at ${host}: ${reason}`, { cause: error });
      }
    }
    return docker;
  }
}

/** A list arrives as JSON text from the provider's settings. */
function setting(value: unknown): unknown {
  if (typeof value !== "string" || value === "") {
    return value;
  }
  try {
    return JSON.parse(value) as unknown;
  } catch {
    throw new Error("a setting of the docker provider is not valid JSON");
  }
}

/** dockerode passes `agent` on to node's HTTP client, which its types do not say. */
type Connection = Docker.DockerOptions & { readonly agent?: SshAgent };

function connection(host: string, sshOpts: readonly string[]): Connection {
  const url = new URL(host);
  switch (url.protocol) {
    case "unix:":
      return { socketPath: url.pathname };
    case "ssh:":
      return {
        protocol: "http",
        host: "docker",
        port: 80,
        agent: new SshAgent(sshArguments(url, sshOpts)),
      };
    case "tcp:":
    case "http:":
      return { protocol: "http", host: url.hostname, port: Number(url.port || 2375) };
    default:
      throw new Error(
        `the docker provider's host must start with ssh://, unix:// or tcp://, got ${host}`,
      );
  }
}

const normalAddress = (address: string): string =>
  address
    .replace(/^https?:\/\//, "")
    .replace(/\/.*$/, "")
    .replace(/^(index\.|registry\.hub\.)?docker\.(io|com)$/, DOCKER_HUB);

function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const named = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return normalAddress(named ? first : "docker.io");
}

function configFile(entry: Values): string {
  if (entry.configFileContent) {
    return text(entry.configFileContent);
  }
  const home = process.env.DOCKER_CONFIG ?? path.join(os.homedir(), ".docker");
  const file = text(entry.configFile) || path.join(home, "config.json");
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "{}";
}

function fromConfigFile(
  content: string,
  registry: string,
  serveraddress: string,
): RegistryAuth | undefined {
  const auths = members(members(JSON.parse(content)).auths);
  const found = Object.entries(auths).find(([address]) => normalAddress(address) === registry);
  const auth = found && text(members(found[1]).auth);
  if (!auth) {
    return undefined;
  }
  const [username = "", ...password] = Buffer.from(auth, "base64").toString().split(":");
  return { username, password: password.join(":"), serveraddress };
}

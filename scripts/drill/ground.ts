/** Where drills happen: a local DigitalOcean of their own, with a stack that they may change and break. */
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type Docker from "dockerode";
import { stopDaemon } from "../../local/daemon/client";
import { settings } from "../../local/daemon/settings";
import { Fault } from "../../local/fault";
import { ACME_PORT, SERVICE_ADDRESS } from "../../local/machines/docker/network";
import { localDir } from "../../local/paths";
import type { LocalEngine, Result } from "../../local/pulumi";
import { reset } from "../../local/reset";
import { setUp } from "../../local/setup";
import { openSpaces } from "../../local/spaces";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { localPulumi } from "../local-pulumi";
import { engineOf, managerOf, type Target } from "../operator/target";
import { readOutputs, type NodeOutput, type Outputs } from "../outputs";

/** What a stack file says, without the `archipelago:` before each key. */
export type StackConfig = Readonly<Record<string, unknown>>;

export const STACK = "drill";

/** The sample app, watched closely, so that a drill need not wait for slow checks. */
export const WEB = {
  build: { context: "examples/notes" },
  port: 3000,
  routes: ["/"],
  health: { path: "/healthz", intervalSeconds: 2, timeoutSeconds: 2, retries: 2 },
  release: ["node", "/app/server.js", "migrate"],
  replicas: 4,
};

/** Three managers and two workers behind a Load Balancer, none of them with the only copy of anything. */
export const BASE: StackConfig = {
  topology: "swarm",
  region: "fra1",
  managers: { count: 3, size: "s-2vcpu-2gb" },
  workers: { count: 2, size: "s-2vcpu-2gb" },
  // Sessions for eight tasks, and for those that take their places.
  database: { engine: "managed", size: "db-s-2vcpu-4gb" },
  services: { web: WEB },
};

export const withWeb = (changes: Readonly<Record<string, unknown>>): StackConfig => ({
  ...BASE,
  services: { web: { ...WEB, ...changes } },
});

export class Ground {
  /** Until the next `up`. */
  private known: ReturnType<Ground["readOutputs"]> | undefined;

  private constructor(
    private engine: LocalEngine,
    private readonly stack = STACK,
  ) {}

  /** Sets up a cloud beside the user's own; what an earlier drill kept is used again. */
  static async open(): Promise<Ground> {
    process.env.ARCHIPELAGO_LOCAL_DIR = path.join(localDir(), "drill");
    return new Ground(await cloud());
  }

  /** Another stack in the same cloud. */
  beside(stack: string): Ground {
    return new Ground(this.engine, stack);
  }

  write(config: StackConfig): void {
    const entries = Object.entries(config).map(([key, value]) => [`archipelago:${key}`, value]);
    fs.writeFileSync(
      path.join(process.env.ARCHIPELAGO_STACKS ?? "", `Pulumi.${this.stack}.yaml`),
      // JSON is YAML.
      JSON.stringify({ config: Object.fromEntries(entries) as object }, null, 2),
    );
  }

  /** Edits the stack file and runs `up` on it. */
  async up(config: StackConfig, ...flags: readonly string[]): Promise<Result> {
    this.write(config);
    try {
      const words = ["up", this.stack, "--yes", "--skip-preview", ...flags];
      return await localPulumi(this.engine, words, "capture");
    } finally {
      this.known = undefined;
    }
  }

  /** @throws {Error} with what Pulumi printed, when it failed. */
  async mustUp(config: StackConfig, ...flags: readonly string[]): Promise<Result> {
    const result = await this.up(config, ...flags);
    if (result.code !== 0) throw new Error(`up failed:\n${result.stdout}${result.stderr}`);
    return result;
  }

  /**
   * Another cloud in the place of this one, and a stack in it: what another drill left in buckets is nothing that this one could take for its own.
   *
   * @param config or how it is found out there.
   */
  async anew(config: StackConfig | ((ground: Ground) => Promise<StackConfig>)): Promise<void> {
    closeConnections();
    await reset();
    this.engine = await cloud();
    this.known = undefined;
    await this.mustUp(typeof config === "function" ? await config(this) : config);
  }

  /** Any other Pulumi command on the stack. */
  async pulumi(...words: readonly string[]): Promise<Result> {
    return localPulumi(this.engine, [...words, this.stack], "capture");
  }

  outputs(): Promise<Outputs & { readonly url: string }> {
    this.known ??= this.readOutputs().catch((error: unknown) => {
      this.known = undefined;
      throw error;
    });
    return this.known;
  }

  private async readOutputs(): Promise<Outputs & { readonly url: string }> {
    const { stdout } = await this.pulumi("stack", "output", "--json");
    const outputs = readOutputs(stdout);
    if (outputs.url === undefined) throw new Error("the stack has no url");
    return { ...outputs, url: outputs.url };
  }

  /** As the operator's commands know it. */
  async target(): Promise<Target> {
    return { stack: this.stack, outputs: await this.outputs(), isLocal: true };
  }

  /** URN of a resource by its type and name. */
  async urn(type: string, name: string): Promise<string> {
    const { stdout } = await this.pulumi("stack", "export");
    const state = JSON.parse(stdout) as {
      deployment: { resources: { urn: string; type: string }[] };
    };
    const found = state.deployment.resources.find(
      (resource) => resource.type === type && resource.urn.endsWith(`::${name}`),
    );
    if (!found) throw new Error(`the state has no ${type} ${name}`);
    return found.urn;
  }

  async node(name: string): Promise<NodeOutput> {
    const { nodes } = await this.outputs();
    const node = nodes.find((each) => each.name === name);
    if (!node) throw new Error(`the stack has no node ${name}`);
    return node;
  }

  /** Docker on a node, over SSH. */
  async docker(name: string): Promise<Docker> {
    return engineOf(await this.node(name));
  }

  async manager(): Promise<Docker> {
    return managerOf(await this.target());
  }

  /** A container of a service, on the first node that runs one. */
  async taskOf(service: string): Promise<Docker.Container> {
    const { nodes } = await this.outputs();
    for (const { name } of nodes) {
      const docker = await this.docker(name);
      const label = `com.docker.swarm.service.name=${service}`;
      const [container] = await docker.listContainers({ filters: { label: [label] } });
      if (container) return docker.getContainer(container.Id);
    }
    throw new Error(`no node runs a task of ${service}`);
  }

  /** Cuts a Droplet's power, or gives it back, as the control panel does. */
  async power(name: string, type: "power_off" | "power_on"): Promise<void> {
    const { privateIp } = await this.node(name);
    const { droplets } = await this.api<{ droplets: Droplet[] }>(
      "GET",
      "/v2/droplets?per_page=200",
    );
    const droplet = droplets.find(({ networks }) =>
      networks.v4.some(({ ip_address }) => ip_address === privateIp),
    );
    if (!droplet) throw new Error(`no Droplet has the address ${privateIp}`);
    await this.api("POST", `/v2/droplets/${droplet.id}/actions`, { type });
  }

  /** A request to the API; an answer that is no JSON comes as text. */
  async api<T>(method: string, resource: string, body?: unknown): Promise<T> {
    const { url, token } = this.engine.daemon;
    const response = await fetch(`${url}${resource}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${resource}: ${response.status} ${text}`);
    const isJson = response.headers.get("content-type")?.includes("json");
    return (isJson ? JSON.parse(text) : text) as T;
  }

  /** Where the account's buckets are, and a key to all of them. */
  spaces(): ReturnType<typeof openSpaces> {
    return openSpaces(this.engine.daemon);
  }

  /**
   * Leads Droplets to a loopback port of this machine, in the place of an ACME server.
   *
   * @returns the URL at which they find it.
   */
  async leadDropletsTo(port: number): Promise<string> {
    settings({ acmePort: port });
    await stopDaemon();
    this.engine = await setUp();
    return `http://${SERVICE_ADDRESS}:${ACME_PORT}`;
  }

  /** Kills the local DigitalOcean's daemon (SIGKILL), and has another one started, as the next command would. */
  async killDaemon(): Promise<void> {
    process.kill(this.engine.daemon.pid, "SIGKILL");
    this.engine = await setUp();
  }

  /** A value that no run before has used, so that a deploy is one. */
  fresh(): string {
    return randomUUID().slice(0, 8);
  }

  async close(keep: boolean): Promise<void> {
    closeConnections();
    if (!keep) await reset();
  }
}

/** Whoever connects to a node or reads a stack file finds its place in the environment. */
async function cloud(): Promise<LocalEngine> {
  const stacks = path.join(localDir(), "stack-files");
  fs.mkdirSync(stacks, { recursive: true });
  process.env.ARCHIPELAGO_STACKS = stacks;
  const engine = await setUp();
  if (engine.daemon.machines === "simulated") {
    throw new Fault("A drill needs real machines: here they are simulated, and serve nothing.");
  }
  process.env.ARCHIPELAGO_SSH_KEY = engine.sshKey;
  return engine;
}

interface Droplet {
  readonly id: number;
  readonly networks: { readonly v4: readonly { readonly ip_address: string }[] };
}

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as automation from "@pulumi/pulumi/automation";
import { startApi, type Api } from "../../../local/api";
import type { Machines } from "../../../local/machines/machines";
import { Simulated } from "../../../local/machines/simulated";
import { installStandIns } from "../../../local/provider/install";

/** Directory of the engine that set-up built or found. */
export const engineDirectory = path.join(
  process.env.ARCHIPELAGO_CACHE ??
    path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "archipelago"),
  "engine",
  "3.255.0",
);

export const hasEngine = fs.existsSync(path.join(engineDirectory, "pulumi"));

/** An account of a local DigitalOcean and a PULUMI_HOME with the stand-ins, for one test file. */
export class Laboratory {
  private constructor(
    readonly api: Api,
    readonly token: string,
    private readonly directory: string,
    private readonly command: automation.PulumiCommand,
  ) {}

  static async open(machines: Machines = new Simulated()): Promise<Laboratory> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "archipelago-provider-"));
    const token = "dop_v1_test";
    const api = await startApi({
      stateDir: path.join(directory, "api"),
      tokens: [token],
      machines,
      publicPool: "127.99.0.0/16",
    });
    const home = path.join(directory, "home");
    installStandIns(home);
    fs.mkdirSync(path.join(directory, "bin"));
    fs.symlinkSync(path.join(engineDirectory, "pulumi"), path.join(directory, "bin", "pulumi"));
    const command = await automation.PulumiCommand.get({ root: directory });
    return new Laboratory(api, token, directory, command);
  }

  async close(): Promise<void> {
    await this.api.close();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  /** A stack of its own whose program can be exchanged between runs. */
  stack(
    name: string,
    program: automation.PulumiFn,
    environment: Record<string, string> = {},
  ): Promise<automation.Stack> {
    const state = path.join(this.directory, "state");
    fs.mkdirSync(state, { recursive: true });
    return automation.LocalWorkspace.createOrSelectStack(
      { stackName: name, projectName: "provider-test", program },
      {
        pulumiCommand: this.command,
        pulumiHome: path.join(this.directory, "home"),
        projectSettings: {
          name: "provider-test",
          runtime: "nodejs",
          backend: { url: `file://${state}` },
        },
        envVars: {
          PULUMI_CONFIG_PASSPHRASE: "test",
          PULUMI_SKIP_UPDATE_CHECK: "true",
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
          DIGITALOCEAN_API_URL: this.api.url,
          DIGITALOCEAN_TOKEN: this.token,
          ...environment,
        },
      },
    );
  }

  /** Asks the API directly, behind Pulumi's back. */
  async request<T = unknown>(method: string, apiPath: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.api.url}/v2${apiPath}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${apiPath}: ${response.status} ${text}`);
    }
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

/** Runs one operation and lists its steps. */
export async function run(
  stack: automation.Stack,
  operation: "up" | "preview" | "refresh" | "destroy",
  options: { readonly expectNoChanges?: boolean } = {},
): Promise<string[]> {
  const events: automation.EngineEvent[] = [];
  const onEvent = (event: automation.EngineEvent): number => events.push(event);
  await stack[operation]({ onOutput: () => undefined, ...options, onEvent });
  return stepsOf(events);
}

/** Kind and type of every step of a run, sorted: `create droplet`, `update droplet`. Stacks are left out. */
function stepsOf(events: readonly automation.EngineEvent[]): string[] {
  return events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .filter(({ type, op }) => !type.startsWith("pulumi:") && !["same", "refresh"].includes(op))
    .map(({ op, type }) => `${op} ${type.split(":").pop()}`)
    .sort();
}

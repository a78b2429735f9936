/** A local DigitalOcean of a test's own, driven through the commands a user types. */
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { TEST_DIRECTORY } from "../../setup/leftovers";

export const root = path.resolve(__dirname, "../../..");

export interface Ran {
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
  readonly stdout: string;
}

export class LocalCloud {
  readonly dir = fs.mkdtempSync(`${TEST_DIRECTORY}pid${process.pid}-`);
  private readonly stacks = path.join(this.dir, "stack-files");
  private readonly environment: NodeJS.ProcessEnv;

  constructor(machines: "simulated" | "docker" = "simulated") {
    fs.mkdirSync(this.stacks);
    this.environment = {
      ...process.env,
      ARCHIPELAGO_LOCAL_DIR: path.join(this.dir, "local"),
      ARCHIPELAGO_STACKS: this.stacks,
      ARCHIPELAGO_MACHINES: machines === "simulated" ? "simulated" : "",
      CI: "true",
    };
  }

  /** Writes a stack file; `config` keys of the program are given without their `archipelago:` prefix. */
  stack(name: string, config: Record<string, unknown>): void {
    const entries = Object.entries(config).map(([key, value]) => [
      key.includes(":") ? key : `archipelago:${key}`,
      value,
    ]);
    // JSON is YAML.
    fs.writeFileSync(
      path.join(this.stacks, `Pulumi.${name}.yaml`),
      JSON.stringify({ config: Object.fromEntries(entries) as object }, null, 2),
    );
  }

  /** `npm run local -- <words>`, to its end. */
  local(...words: string[]): Promise<Ran> {
    return this.npm("local", ...words);
  }

  npm(command: string, ...words: string[]): Promise<Ran> {
    return finished(this.spawn(command, ...words));
  }

  /** The same, for a test that interrupts it. */
  spawn(command: string, ...words: string[]): ChildProcess {
    return spawn(process.execPath, [path.join(root, "scripts/setup.cjs"), command, ...words], {
      cwd: root,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** A request to the API as an operator's tool makes it. */
  async api<T = Record<string, unknown>>(
    method: string,
    resource: string,
    body?: unknown,
  ): Promise<T> {
    const { url } = this;
    const token = fs.readFileSync(path.join(this.dir, "local/token"), "utf8").trim();
    const response = await fetch(`${url}${resource}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${resource}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : {}) as T;
  }

  /** Where the API is. */
  get url(): string {
    const info = fs.readFileSync(path.join(this.dir, "local/daemon.json"), "utf8");
    return (JSON.parse(info) as { url: string }).url;
  }

  /** Process id of the daemon. */
  get daemonPid(): number {
    const info = fs.readFileSync(path.join(this.dir, "local/daemon.json"), "utf8");
    return (JSON.parse(info) as { pid: number }).pid;
  }

  async remove(): Promise<void> {
    await this.local("reset");
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** @throws {Error} with everything that was printed, when the command failed. */
export function succeeded(ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(`exit code ${ran.code}:\n${ran.output}`);
  return ran;
}

export function finished(child: ChildProcess): Promise<Ran> {
  let output = "";
  let stdout = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    stdout += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (code) => done({ code: code ?? -1, output, stdout }));
  });
}

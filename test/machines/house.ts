/** A stack of a test's own on a real machine, seen the way its owner sees it: by commands and by URL. */
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "ssh2";
import { readOutputs, type Outputs } from "../../scripts/outputs";
import { LocalCloud, succeeded, type Ran } from "../program/support/cloud";

export class House {
  readonly cloud = new LocalCloud("docker");

  constructor(readonly stack: string) {}

  /** `npm run local -- up`. The preview before it is a command, and a test, of its own. */
  up(): Promise<Ran> {
    return this.cloud.local("up", this.stack, "--yes", "--skip-preview");
  }

  async outputs(): Promise<Outputs & { readonly url: string }> {
    const { stdout } = succeeded(
      await this.cloud.local("stack", "output", "--json", "--show-secrets", this.stack),
    );
    const outputs = readOutputs(stdout);
    if (outputs.url === undefined) throw new Error("the stack has no url");
    return { ...outputs, url: outputs.url };
  }

  /** What a shell command on the node prints, by `npm run ssh`. */
  async onNode(command: string): Promise<string> {
    return succeeded(await this.cloud.npm("ssh", this.stack, command)).stdout.trim();
  }
}

/** A service's container, for a shell on its node. */
export const containerOf = (service: string) =>
  `$(docker ps --quiet --filter label=com.docker.swarm.service.name=${service})`;

export async function counter(url: string, method: "GET" | "POST" = "GET"): Promise<number> {
  const response = await fetch(new URL("/api/counter", url), {
    method,
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`the counter answers ${response.status}`);
  return ((await response.json()) as { counter: number }).counter;
}

/** Uses the app like a visitor until `work` ends. @returns its result, how many visits there were, and what failed. */
export async function visitedDuring<T>(url: string, work: Promise<T>) {
  let ended = false;
  const result = work.finally(() => (ended = true));
  const failures: string[] = [];
  let visits = 0;
  const visitor = (async () => {
    while (!ended) {
      visits += 1;
      await counter(url).catch((error: Error) => failures.push(error.message));
      await delay(100);
    }
  })();
  const [value] = await Promise.all([result, visitor]);
  return { value, visits, failures };
}

/** The SSH host key that a machine shows to whoever connects: `ssh-ed25519 AAAA…`. */
export function presentedHostKey(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.on("error", reject);
    client.connect({
      host,
      username: "nobody",
      algorithms: { serverHostKey: ["ssh-ed25519"] },
      readyTimeout: 5000,
      hostVerifier: (key: Buffer) => {
        resolve(`ssh-ed25519 ${key.toString("base64")}`);
        return false;
      },
    });
  });
}

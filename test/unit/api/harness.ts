// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-redundant-type-constituents */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Api, type ApiOptions, startApi } from "../../../local/api";
import { Simulated } from "../../../local/machines/simulated";

export const token = "test-token";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /* What a test looks into is what it asserts on. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** A local DigitalOcean of a test's own, in a directory that goes away with it. */
export class TestApi {
  private constructor(
    readonly api: Api,
    readonly stateDir: string,
  ) {}

  static async start(options: Partial<ApiOptions> = {}): Promise<TestApi> {
    const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), "archipelago-api-"));
    const api = await startApi({
      stateDir,
      tokens: [token],
      machines: new Simulated(),
      publicPool: "127.99.0.0/16",
      ...options,
    });
    return new TestApi(api, stateDir);
  }

  async call(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(this.api.url + url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: text === "" ? undefined : parsed(text),
    };
  }

  get = (url: string) => this.call("GET", url);
  post = (url: string, body?: object) => this.call("POST", url, body);
  put = (url: string, body?: object) => this.call("PUT", url, body);
  delete = (url: string, body?: object) => this.call("DELETE", url, body);

  /** Asks again until the answer is as wanted. */
  async until(url: string, wanted: (answer: Answer) => boolean): Promise<Answer> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const answer = await this.get(url);
      if (wanted(answer)) return answer;
      if (Date.now() > deadline)
        throw new Error(`${url} did not become as wanted: ${JSON.stringify(answer.body)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Waits for an action to complete or to err. */
  async settled(answer: Answer): Promise<Answer> {
    const id = (answer.body as { action: { id: number } }).action.id;
    return this.until(`/v2/actions/${id}`, ({ body }) => {
      const { action } = body as { action: { status: string } };
      return action.status !== "in-progress";
    });
  }

  /** A Droplet that runs. */
  async droplet(fields: object = {}): Promise<{ id: number; vpc_uuid: string } & Answer["body"]> {
    const created = await this.post("/v2/droplets", {
      name: "web-1",
      region: "nyc3",
      size: "s-1vcpu-1gb",
      image: "debian-12-x64",
      ...fields,
    });
    if (created.status !== 202) throw new Error(JSON.stringify(created.body));
    const { id } = created.body.droplet as { id: number };
    const answer = await this.until(
      `/v2/droplets/${id}`,
      ({ body }) => body.droplet.status !== "new",
    );
    return answer.body.droplet;
  }

  async stop(): Promise<void> {
    await this.api.close();
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export const sshKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl test";

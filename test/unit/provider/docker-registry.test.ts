import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { DockerClient } from "../../../local/provider/docker/client";
import { registryImage } from "../../../local/provider/docker/registry-image";
import { service } from "../../../local/provider/docker/service";

const DIGEST = `sha256:${"a".repeat(64)}`;
const NAME = "registry.example:5000/app:1";
const CREDENTIALS = {
  username: "u",
  password: "hunter2",
  serveraddress: "https://registry.example:5000",
};
const registryAuth = JSON.stringify([
  { address: "https://registry.example:5000", username: "u", password: "hunter2" },
]);

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly auth: unknown;
  readonly body: string;
}

/** An engine that answers what it is told to, by `GET /path`, and remembers what it was asked. */
class FakeEngine {
  readonly asked: Asked[] = [];
  private constructor(
    private readonly server: http.Server,
    private readonly directory: string,
  ) {}

  static async start(answers: Record<string, readonly [number, unknown]>): Promise<FakeEngine> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "engine-"));
    const server = http.createServer();
    const engine = new FakeEngine(server, directory);
    server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        const header = headers["x-registry-auth"];
        const auth: unknown =
          typeof header === "string"
            ? JSON.parse(Buffer.from(header, "base64").toString())
            : undefined;
        engine.asked.push({ method, url, auth, body });
        const key = `${method} ${url.split("?")[0] ?? ""}`;
        const [status, answer] = answers[key] ?? (url === "/_ping" ? [200, "OK"] : [404, {}]);
        const lines = Array.isArray(answer) ? answer : [answer];
        response
          .writeHead(status, { "content-type": "application/json" })
          .end(lines.map((line) => `${JSON.stringify(line)}\r\n`).join(""));
      });
    });
    await new Promise<void>((resolve) => server.listen(path.join(directory, "socket"), resolve));
    return engine;
  }

  client(config: Record<string, unknown> = { registryAuth }): DockerClient {
    const host = `unix://${path.join(this.directory, "socket")}`;
    return new DockerClient({ host, ...config }, new AbortController().signal);
  }

  requests(method: string, start: string): Asked[] {
    return this.asked.filter((one) => one.method === method && one.url.startsWith(start));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    fs.rmSync(this.directory, { recursive: true });
  }
}

let engine: FakeEngine;
afterEach(() => engine.stop());

const creation = { exists: () => undefined, gone: () => undefined };
const PUSH = "POST /images/registry.example:5000/app/push";
const pushed = [{ status: "pushing" }, { aux: { Tag: "1", Digest: DIGEST, Size: 1 } }];

describe("an image in a registry", () => {
  test("is pushed with the registry's credentials, and known by its digest", async () => {
    engine = await FakeEngine.start({ [PUSH]: [200, pushed] });
    const made = await registryImage.create(engine.client(), { name: NAME }, creation);
    expect(made).toEqual({ id: DIGEST, state: { sha256Digest: DIGEST } });
    expect(engine.requests("POST", "/images")).toMatchObject([
      { url: "/images/registry.example:5000/app/push?tag=1", auth: CREDENTIALS },
    ]);
  });

  test("is pushed with its own credentials where it has some", async () => {
    engine = await FakeEngine.start({ [PUSH]: [200, pushed] });
    const authConfig = { address: "registry.example:5000", username: "other", password: "p" };
    await registryImage.create(engine.client({}), { name: NAME, authConfig }, creation);
    expect(engine.requests("POST", "/images")[0]?.auth).toMatchObject({ username: "other" });
  });

  test("that the registry refuses is an error in the registry's words", async () => {
    const denied = { error: "denied: access forbidden", errorDetail: { message: "denied" } };
    engine = await FakeEngine.start({ [PUSH]: [200, [{ status: "pushing" }, denied]] });
    await expect(registryImage.create(engine.client(), { name: NAME }, creation)).rejects.toThrow(
      `Error pushing docker image ${NAME}: denied: access forbidden`,
    );
  });

  test("of a registry that registryAuth does not name says where to name it", async () => {
    engine = await FakeEngine.start({ [PUSH]: [200, pushed] });
    await expect(registryImage.create(engine.client({}), { name: NAME }, creation)).rejects.toThrow(
      /no auth config found for registry registry\.example:5000: .*docker provider's registryAuth/,
    );
    expect(engine.requests("POST", "/")).toEqual([]);
  });

  test("is read from the registry, and gone when the registry has it no more", async () => {
    const found = { Descriptor: { digest: DIGEST } };
    engine = await FakeEngine.start({ [`GET /distribution/${NAME}/json`]: [200, found] });
    const known = { name: NAME, sha256Digest: "old" };
    expect(await registryImage.read(engine.client(), "id", known)).toEqual({
      id: "id",
      state: { name: NAME, sha256Digest: DIGEST },
    });
    const other = { ...known, name: "registry.example:5000/other:1" };
    expect(await registryImage.read(engine.client(), "id", other)).toBeUndefined();
  });

  test("must be kept there, as nothing could delete it", async () => {
    engine = await FakeEngine.start({});
    const reasons = (keepRemotely: boolean) =>
      registryImage.validate?.({ keepRemotely }, {}).map(({ reason }) => reason);
    expect(reasons(true)).toEqual([]);
    expect(reasons(false)).toEqual([expect.stringMatching(/keepRemotely must be true/)]);
  });
});

test("a service's credentials travel in the header alone: not in the address, not in the spec", async () => {
  const live = { Version: { Index: 7 }, Endpoint: {}, Spec: { EndpointSpec: { Mode: "dnsrr" } } };
  engine = await FakeEngine.start({
    "POST /services/create": [201, { ID: "web" }],
    "POST /services/web/update": [200, {}],
    "GET /services/web": [200, live],
  });
  const inputs = { name: "web", taskSpec: { containerSpec: { image: NAME } } };
  await service.create(engine.client(), inputs, creation);
  await service.update?.(engine.client(), "web", {
    olds: inputs,
    news: inputs,
    planned: inputs,
    changed: () => true,
  });
  const sent = engine.requests("POST", "/services");
  expect(sent.map(({ auth }) => auth)).toEqual([CREDENTIALS, CREDENTIALS]);
  expect(sent.map(({ url }) => url)).toEqual([
    "/services/create",
    "/services/web/update?version=7",
  ]);
  for (const { body } of sent) {
    expect(JSON.parse(body)).toMatchObject({ Name: "web" });
    expect(body).not.toContain("hunter2");
  }
});

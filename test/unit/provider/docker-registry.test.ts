import { DockerClient } from "../../../local/provider/docker/client";
import { registryImage } from "../../../local/provider/docker/registry-image";
import { service } from "../../../local/provider/docker/service";
import { ScriptedServer, Stream, type Answer, type Asked } from "./scripted-server";

const DIGEST = `sha256:${"a".repeat(64)}`;
const NAME = "registry.example:5000/app:1";
const ADDRESS = "https://registry.example:5000";
const CREDENTIALS = { username: "u", password: "hunter2", serveraddress: ADDRESS };
const registryAuth = JSON.stringify([{ address: ADDRESS, username: "u", password: "hunter2" }]);

let engine: ScriptedServer;
afterEach(() => engine.stop());

async function start(answers: Record<string, Answer>): Promise<void> {
  engine = await ScriptedServer.start({ "GET /_ping": [200, "OK"], ...answers });
}

const client = (config: Record<string, unknown> = { registryAuth }): DockerClient =>
  new DockerClient({ host: engine.url, ...config }, new AbortController().signal);

const authOf = ({ headers }: Asked): unknown =>
  JSON.parse(Buffer.from(String(headers["x-registry-auth"]), "base64").toString());

const creation = { exists: () => undefined, gone: () => undefined };
const PUSH = "POST /images/registry.example:5000/app/push";
const pushed = new Stream([{ status: "pushing" }, { aux: { Tag: "1", Digest: DIGEST, Size: 1 } }]);

describe("an image in a registry", () => {
  test("is pushed with the registry's credentials, and known by its digest", async () => {
    await start({ [PUSH]: [200, pushed] });
    const made = await registryImage.create(client(), { name: NAME }, creation);
    expect(made).toEqual({ id: DIGEST, state: { sha256Digest: DIGEST } });
    const [push] = engine.requests("POST");
    expect(push?.url).toBe("/images/registry.example:5000/app/push?tag=1");
    expect(push && authOf(push)).toEqual(CREDENTIALS);
  });

  test("is pushed with its own credentials where it has some", async () => {
    await start({ [PUSH]: [200, pushed] });
    const authConfig = { address: ADDRESS, username: "other", password: "p" };
    await registryImage.create(client({}), { name: NAME, authConfig }, creation);
    expect(engine.requests("POST").map(authOf)).toMatchObject([{ username: "other" }]);
  });

  test("that the registry refuses is an error in the registry's words", async () => {
    const denied = { error: "denied: access forbidden", errorDetail: { message: "denied" } };
    await start({ [PUSH]: [200, new Stream([{ status: "pushing" }, denied])] });
    await expect(registryImage.create(client(), { name: NAME }, creation)).rejects.toThrow(
      `Error pushing docker image ${NAME}: denied: access forbidden`,
    );
  });

  test("of a registry that registryAuth does not name says where to name it", async () => {
    await start({ [PUSH]: [200, pushed] });
    await expect(registryImage.create(client({}), { name: NAME }, creation)).rejects.toThrow(
      /no auth config found for registry registry\.example:5000: .*docker provider's registryAuth/,
    );
    expect(engine.requests("POST")).toEqual([]);
  });

  test("is read from the registry, and gone when the registry has it no more", async () => {
    await start({ [`GET /distribution/${NAME}/json`]: [200, { Descriptor: { digest: DIGEST } }] });
    const known = { name: NAME, sha256Digest: "old" };
    expect(await registryImage.read(client(), "id", known)).toEqual({
      id: "id",
      state: { name: NAME, sha256Digest: DIGEST },
    });
    const other = { ...known, name: "registry.example:5000/other:1" };
    expect(await registryImage.read(client(), "id", other)).toBeUndefined();
  });

  test("must be kept there, as nothing could delete it", async () => {
    await start({});
    const reasons = (keepRemotely: boolean) =>
      registryImage.validate?.({ keepRemotely }, {}).map(({ reason }) => reason);
    expect(reasons(true)).toEqual([]);
    expect(reasons(false)).toEqual([expect.stringMatching(/keepRemotely must be true/)]);
  });
});

test("a service's credentials travel in the header alone: not in the address, not in the spec", async () => {
  const live = { Version: { Index: 7 }, Endpoint: {}, Spec: { EndpointSpec: { Mode: "dnsrr" } } };
  await start({
    "POST /services/create": [201, { ID: "web" }],
    "POST /services/web/update": [200, {}],
    "GET /services/web": [200, live],
  });
  const inputs = { name: "web", taskSpec: { containerSpec: { image: NAME } } };
  await service.create(client(), inputs, creation);
  const update = { olds: inputs, news: inputs, planned: inputs, changed: () => true };
  await service.update?.(client(), "web", update);
  const sent = engine.requests("POST");
  expect(sent.map(authOf)).toEqual([CREDENTIALS, CREDENTIALS]);
  expect(sent.map(({ url }) => url)).toEqual([
    "/services/create",
    "/services/web/update?version=7",
  ]);
  for (const { body } of sent) {
    expect(JSON.parse(body)).toMatchObject({ Name: "web" });
    expect(body).not.toContain("hunter2");
  }
});

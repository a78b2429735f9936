// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-member-access */
import type { SpacesDoor, SpacesSpec } from "../../../local/machines/machines";
import { Simulated } from "../../../local/machines/simulated";
import { TestApi } from "./harness";

const door: SpacesDoor = {
  endpoint: "http://127.0.0.1:7",
  dropletEndpoint: "http://169.254.169.253:7070",
};

/** Machines with an S3 server that only remembers which keys it was given. */
class WithSpaces extends Simulated {
  override readonly kind = "docker" as "simulated";
  readonly applied: SpacesSpec[] = [];
  broken = false;

  override applySpaces(spaces?: SpacesSpec): Promise<undefined> {
    if (this.broken) return Promise.reject(new Error("no room"));
    if (spaces) this.applied.push(spaces);
    return Promise.resolve(door as unknown as undefined);
  }

  override restore(world: Parameters<Simulated["restore"]>[0]): Promise<void> {
    if (world.spaces) this.applied.push(world.spaces);
    return super.restore(world);
  }

  /** Grants by access key, as the server knows them now. */
  get known() {
    return Object.fromEntries(
      (this.applied.at(-1)?.keys ?? []).map(({ accessKey, grants }) => [accessKey, grants]),
    );
  }
}

const everything = [{ bucket: "", permission: "fullaccess" }];
const photos = [{ bucket: "photos", permission: "readwrite" }];

describe("Spaces", () => {
  let machines: WithSpaces;
  let api: TestApi;
  beforeEach(async () => {
    machines = new WithSpaces();
    api = await TestApi.start({ machines });
  });
  afterEach(() => api.stop());

  interface Key {
    readonly access_key: string;
    readonly secret_key: string;
  }
  const open = async () => (await api.post("/_local/spaces")).body as Key & { endpoint: string };
  const makeKey = async (grants: object[] = photos) =>
    (await api.post("/v2/spaces/keys", { name: "app", grants })).body.key as Key;

  it("runs no server before somebody asks for one", async () => {
    await makeKey();
    expect(machines.applied).toEqual([]);
  });

  it("lets in the operator with everything, and each key with its grants and no more", async () => {
    const before = await makeKey();
    const operator = await open();
    expect(operator.endpoint).toBe(door.endpoint);
    expect(await open()).toEqual(operator);
    const after = await makeKey([{ bucket: "papers", permission: "read" }]);
    expect(machines.known).toEqual({
      [operator.access_key]: everything,
      [before.access_key]: photos,
      [after.access_key]: [{ bucket: "papers", permission: "read" }],
    });
    const given = machines.applied.at(-1)?.keys.find((key) => key.accessKey === after.access_key);
    expect(given?.secretKey).toBe(after.secret_key);
  });

  it("changes and ends a key at the server, and tells its secret only once", async () => {
    await open();
    const { access_key: id } = await makeKey();
    await api.put(`/v2/spaces/keys/${id}`, { name: "app", grants: [] });
    expect(machines.known[id]).toEqual([]);
    expect((await api.get(`/v2/spaces/keys/${id}`)).body.key).not.toHaveProperty("secret_key");
    await api.delete(`/v2/spaces/keys/${id}`);
    expect(Object.keys(machines.known)).not.toContain(id);
  });

  it("grants nothing for what cannot be a bucket's name, such as a wildcard", async () => {
    for (const bucket of ["*", "photos*", "a/b", "?"]) {
      const grants = [{ bucket, permission: "read" }];
      expect((await api.post("/v2/spaces/keys", { name: "app", grants })).status).toBe(422);
    }
  });

  it("keeps no key that the server did not take", async () => {
    await open();
    machines.broken = true;
    const answer = await api.post("/v2/spaces/keys", { name: "app", grants: photos });
    expect(answer.status).toBe(500);
    expect((await api.get("/v2/spaces/keys")).body.keys).toEqual([]);
  });

  it("brings the same keys back after a restart", async () => {
    const operator = await open();
    const key = await makeKey();
    const { stateDir } = api;
    await api.api.close();
    machines = new WithSpaces();
    api = await TestApi.start({ machines, stateDir });
    expect(Object.keys(machines.known).sort()).toEqual(
      [operator.access_key, key.access_key].sort(),
    );
    expect(await open()).toEqual(operator);
  });
});

it("says that there is no S3 server where machines are simulated; keys are kept all the same", async () => {
  const api = await TestApi.start();
  const answer = await api.post("/_local/spaces");
  expect(answer.status).toBe(412);
  expect(answer.body.message).toBe("there is no S3 server where machines are simulated");
  expect((await api.post("/v2/spaces/keys", { name: "app", grants: photos })).status).toBe(201);
  await api.stop();
});

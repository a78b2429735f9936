import { declare } from "./declare";
import { type Declared, only } from "./recorder";

jest.mock("../../components/ssh-directory", () => ({
  prepareSshDirectory: () => undefined,
}));

const SERVICE = "docker:index/service:Service";
const recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const s3 = {
  endpoint: "https://s3.example.com",
  bucket: "acme",
  accessKey: "A",
  secretKey: "hunter2",
};
const services = { web: { image: "acme/web:1", port: 3000, routes: ["/"] } };
const backup = { recipient, second: { s3 } };

let declared: Declared[];
beforeAll(async () => {
  declared = await declare("single-node", { services, backup });
});

test("the agent runs beside the database, on the node of the Volume, with the image of tools", () => {
  const { taskSpec } = only(declared, SERVICE, "backup").inputs as {
    readonly taskSpec: {
      readonly containerSpec: {
        readonly image: string;
        readonly mounts: readonly { source: string }[];
      };
      readonly placement: { readonly constraints: readonly string[] };
    };
  };
  expect(taskSpec.placement.constraints[0]).toMatch(/^node\.id == /);
  expect(taskSpec.containerSpec.image).toMatch(/^localhost\/archipelago\/toolbox:[0-9a-f]{12}$/);
  expect(taskSpec.containerSpec.mounts.map(({ source }) => source)).toEqual([
    "/mnt/data/postgres",
    "/etc/ssl/certs/ca-certificates.crt",
  ]);
});

test("the bucket is private and protected, its key good for it alone, and logins are in one secret", () => {
  const bucket = only(declared, "digitalocean:index/spacesBucket:SpacesBucket", "backups");
  expect(bucket.inputs).toMatchObject({ acl: "private", forceDestroy: false });
  expect(bucket.options).toMatchObject({ protect: true });
  const key = only(declared, "digitalocean:index/spacesKey:SpacesKey", "backups");
  expect(key.inputs.grants).toMatchObject([{ permission: "readwrite" }]);
  const secret = only(declared, "docker:index/secret:Secret", "backup").inputs.data as {
    value: string;
  };
  const settings = JSON.parse(Buffer.from(secret.value, "base64").toString()) as object;
  expect(settings).toMatchObject({
    recipient,
    places: { first: { kind: "s3", secretKey: "spaces-secret" }, second: { secretKey: "hunter2" } },
    server: { kind: "container", databases: ["app"] },
  });
  const others = declared.filter((one) => one.type !== "docker:index/secret:Secret");
  expect(JSON.stringify(others)).not.toContain("hunter2");
});

test("who watches is another service, away from the node of the Volume, with a key that only reads", async () => {
  const alarm = {
    webhook: "https://hooks.example.com/hunter3",
    heartbeat: "https://hc.example.com/hunter4",
  };
  const given = { services, database: "container", backup: { ...backup, alarm } };
  const managers = { count: 3, size: "s-2vcpu-4gb" };
  const swarm = await declare("swarm", { ...given, managers });
  const constraints = (all: Declared[]) =>
    (
      only(all, SERVICE, "backup-watch").inputs as {
        readonly taskSpec: { readonly placement: { readonly constraints?: readonly string[] } };
      }
    ).taskSpec.placement.constraints;
  expect(constraints(swarm)).toEqual([expect.stringMatching(/^node\.id != /)]);
  const single = await declare("single-node", given);
  expect(constraints(single)).toBeUndefined();
  const key = only(single, "digitalocean:index/spacesKey:SpacesKey", "backup-watch");
  expect(key.inputs.grants).toMatchObject([{ permission: "read" }]);
  const secretOf = (name: string) => {
    const data = only(single, "docker:index/secret:Secret", name).inputs.data as { value: string };
    return JSON.parse(Buffer.from(data.value, "base64").toString()) as object;
  };
  expect(secretOf("backup-watch")).toMatchObject({
    maxAgeHours: 26,
    log: true,
    alarm: { webhook: alarm.webhook },
  });
  expect(secretOf("backup")).toMatchObject({ heartbeat: alarm.heartbeat });
  const others = single.filter((one) => one.type !== "docker:index/secret:Secret");
  expect(JSON.stringify(others)).not.toMatch(/hunter[234]/);
});

test("without the key in the stack file there is none of it", async () => {
  const names = (await declare("single-node", { services })).map(({ name }) => name);
  expect(names.filter((name) => /backup|toolbox/.test(name))).toEqual([]);
});

test("a managed database's agent is bound to no node, and gets the administrator's login and the authority", async () => {
  const swarm = await declare("swarm", { services, backup });
  const { taskSpec } = only(swarm, SERVICE, "backup").inputs as {
    readonly taskSpec: {
      readonly containerSpec: { readonly mounts: readonly { source: string }[] };
      readonly placement: object;
    };
  };
  expect(taskSpec.placement).not.toHaveProperty("constraints");
  expect(taskSpec.containerSpec.mounts).toHaveLength(1);
  const { value } = only(swarm, "docker:index/secret:Secret", "backup").inputs.data as {
    value: string;
  };
  expect(JSON.parse(Buffer.from(value, "base64").toString())).toMatchObject({
    server: {
      kind: "managed",
      host: "private-app-postgres.db.example",
      ca: "CA",
      user: "doadmin",
      adminDatabase: "defaultdb",
      databases: ["app"],
      diskBytes: 15 * 2 ** 30,
    },
  });
});

test("what services keep on the Volume is the agent's to read, with a database and without", async () => {
  const kept = { web: { ...services.web, volume: "/var/lib/web" } };
  const bare = await declare("single-node", { services: kept, backup, database: "none" });
  const { taskSpec } = only(bare, SERVICE, "backup").inputs as {
    readonly taskSpec: {
      readonly containerSpec: { readonly mounts: readonly { source: string; target: string }[] };
      readonly placement: { readonly constraints: readonly string[] };
    };
  };
  expect(taskSpec.containerSpec.mounts[0]).toMatchObject({
    source: "/mnt/data/services",
    target: "/data/services",
  });
  expect(taskSpec.placement.constraints[0]).toMatch(/^node\.id == /);
  const { value } = only(bare, "docker:index/secret:Secret", "backup").inputs.data as {
    value: string;
  };
  const settings = JSON.parse(Buffer.from(value, "base64").toString()) as object;
  expect(settings).toMatchObject({ volumes: { directory: "/data/services", services: ["web"] } });
  expect(settings).not.toHaveProperty("server");
});

test("uploaded files are the agent's to read, unless the stack file says otherwise", async () => {
  const settingsWith = async (more: object) => {
    const given = { services, files: true, backup: { ...backup, ...more } };
    const { value } = only(
      await declare("single-node", given),
      "docker:index/secret:Secret",
      "backup",
    ).inputs.data as { value: string };
    return JSON.parse(Buffer.from(value, "base64").toString()) as { readonly files?: object };
  };
  expect((await settingsWith({})).files).toMatchObject({ kind: "s3", secretKey: "spaces-secret" });
  expect(await settingsWith({ files: false })).not.toHaveProperty("files");
});

/** Buckets on a real S3 server: what keys may do, and what outlives the daemon and the server. */
import { AwsClient } from "aws4fetch";
import Docker from "dockerode";
import { DockerMachines, resetMachines } from "../../local/machines/docker";
import { ensureImages } from "../../local/machines/docker/images";
import { INSTANCE_LABEL, objectName, vpcName } from "../../local/machines/docker/names";
import { preflight } from "../../local/machines/docker/preflight";
import type { SpacesDoor, SpacesKeySpec } from "../../local/machines/machines";
import { ApiClient } from "../../local/provider/digitalocean/client";
import { spacesBucket } from "../../local/provider/digitalocean/resources/spaces-bucket";
import { ensureS3Program } from "../../local/s3/program";
import { eventually } from "./fixture";

const INSTANCE = "59ace5";
const vpc = { id: "vpc-spaces", name: "spaces", ipRange: "10.248.9.0/24" };
const network = {
  vpcs: [vpc],
  droplets: [],
  addresses: [],
  firewalls: [],
  metadataPort: 9,
};

const docker = new Docker();
const options = { instance: INSTANCE, docker };
let machines = new DockerMachines(options);
let door: SpacesDoor;

const login = (name: string) => ({ accessKey: `DO00${name}`, secretKey: `secret of ${name}` });
const operator: SpacesKeySpec = {
  ...login("OPERATOR"),
  grants: [{ bucket: "", permission: "fullaccess" }],
};
const scoped = (name: string, bucket: string, permission: "read" | "readwrite"): SpacesKeySpec => ({
  ...login(name),
  grants: [{ bucket, permission }],
});
const writer = scoped("WRITER", "photos", "readwrite");
const reader = scoped("READER", "photos", "read");
const stranger = scoped("STRANGER", "papers", "readwrite");

const ask = async (key: SpacesKeySpec, method: string, path: string, body?: string) => {
  const client = new AwsClient({
    accessKeyId: key.accessKey,
    secretAccessKey: key.secretKey,
    service: "s3",
    region: "us-east-1",
    retries: 0,
  });
  return client.fetch(`${door.endpoint}${path}`, { method, ...(body !== undefined && { body }) });
};
const statusOf = async (...asked: Parameters<typeof ask>) => {
  const answer = await ask(...asked);
  await answer.arrayBuffer();
  return answer.status;
};
const contentOf = async (key: SpacesKeySpec, path: string) => (await ask(key, "GET", path)).text();
const server = () => docker.getContainer(objectName(INSTANCE, "spaces"));

let impossible: string | undefined;
beforeAll(async () => {
  impossible = await preflight();
  if (impossible) {
    console.warn(`SKIPPED buckets: ${impossible}`);
    return;
  }
  await ensureImages();
  await ensureS3Program({ note: () => undefined });
  await resetMachines(INSTANCE);
  await machines.createVpc(vpc);
  await machines.applyNetwork(network);
  door = (await machines.applySpaces({ keys: [operator, writer, reader, stranger] }))!;
}, 600_000);

afterAll(async () => {
  if (impossible) return;
  await machines.close();
  await resetMachines(INSTANCE);
  const filters = { label: [`${INSTANCE_LABEL}=${INSTANCE}`] };
  expect(await docker.listContainers({ all: true, filters })).toEqual([]);
  expect((await docker.listVolumes({ filters })).Volumes).toEqual([]);
}, 60_000);

const check = (name: string, body: () => Promise<void>, timeout?: number) =>
  it(name, async () => (impossible ? undefined : body()), timeout);

check("a key for one bucket reads and writes there, and is refused everywhere else", async () => {
  expect(await statusOf(operator, "PUT", "/photos")).toBe(200);
  expect(await statusOf(operator, "PUT", "/papers")).toBe(200);
  expect(await statusOf(writer, "PUT", "/photos/a%20cat.jpg", "meow")).toBe(200);
  expect(await contentOf(writer, "/photos/a%20cat.jpg")).toBe("meow");
  expect(await statusOf(writer, "GET", "/photos?list-type=2")).toBe(200);
  for (const [method, path] of [
    ["GET", "/papers?list-type=2"],
    ["PUT", "/papers/note"],
    ["GET", "/"],
    ["PUT", "/third"],
    ["DELETE", "/photos"],
  ] as const) {
    expect([method, path, await statusOf(writer, method, path)]).toEqual([method, path, 403]);
  }
  expect(await statusOf(stranger, "GET", "/photos/a%20cat.jpg")).toBe(403);
  expect(await statusOf({ ...writer, secretKey: "guessed" }, "GET", "/photos/a%20cat.jpg")).toBe(
    403,
  );
  expect((await fetch(`${door.endpoint}/photos/a%20cat.jpg`)).status).toBe(403);
});

check("a key for reading changes nothing", async () => {
  expect(await contentOf(reader, "/photos/a%20cat.jpg")).toBe("meow");
  expect(await statusOf(reader, "PUT", "/photos/dog", "woof")).toBe(403);
  expect(await statusOf(reader, "DELETE", "/photos/a%20cat.jpg")).toBe(403);
});

check("a key works as soon as it is known, and ends with its removal", async () => {
  const late = scoped("LATE", "papers", "readwrite");
  expect(await statusOf(late, "GET", "/papers?list-type=2")).toBe(403);
  await machines.applySpaces({ keys: [operator, writer, late] });
  expect(await statusOf(late, "GET", "/papers?list-type=2")).toBe(200);
  expect(await statusOf(reader, "GET", "/photos/a%20cat.jpg")).toBe(403);
  await machines.applySpaces({ keys: [operator, writer] });
  expect(await statusOf(late, "GET", "/papers?list-type=2")).toBe(403);
});

check("a bucket with versions keeps what was overwritten and deleted", async () => {
  const enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  expect(await statusOf(operator, "PUT", "/papers?versioning", enabled)).toBe(200);
  for (const text of ["one", "two"]) await statusOf(operator, "PUT", "/papers/draft", text);
  expect(await statusOf(operator, "DELETE", "/papers/draft")).toBe(204);
  expect(await statusOf(operator, "GET", "/papers/draft")).toBe(404);
  const versions = await contentOf(operator, "/papers?versions");
  expect(versions.match(/<Version>/g)).toHaveLength(2);
  expect(versions.match(/<DeleteMarker>/g)).toHaveLength(1);
});

describe("the stand-in's bucket", () => {
  const standIn = (key = operator) =>
    new ApiClient({
      retryMax: 0,
      retryWaitMinSeconds: 0,
      retryWaitMaxSeconds: 0,
      requestsPerSecond: 0,
      spaces: { accessId: key.accessKey, secretKey: key.secretKey, endpoint: door.endpoint },
    });
  const inputs = { name: "uploads", region: "fra1", acl: "private", versioning: { enabled: true } };
  const creation = { exists: () => undefined, gone: () => undefined };

  check("is made as it is declared, read back, changed, and found gone", async () => {
    const made = await spacesBucket.create(standIn(), inputs, creation);
    expect(made).toEqual({
      id: "uploads",
      state: {
        name: "uploads",
        region: "fra1",
        versioning: { enabled: true },
        endpoint: "fra1.digitaloceanspaces.com",
        bucketDomainName: "uploads.fra1.digitaloceanspaces.com",
        bucketUrn: "do:space:uploads",
      },
    });
    expect(await spacesBucket.read(standIn(), "uploads", made.state)).toEqual(made);
    const news = { ...inputs, versioning: { enabled: false } };
    const update = { olds: made.state, news, planned: news, changed: () => true };
    const changed = await spacesBucket.update!(standIn(), "uploads", update);
    expect(changed.state.versioning).toEqual({ enabled: false });
    expect(await spacesBucket.read(standIn(), "other", made.state)).toBeUndefined();
    await expect(spacesBucket.create(standIn(), inputs, creation)).rejects.toThrow(
      /409 BucketAlreadyOwnedByYou/,
    );
    await expect(spacesBucket.create(standIn(stranger), inputs, creation)).rejects.toThrow(/403/);
  });

  check("is deleted with its files only where that was declared", async () => {
    for (const key of ["a", "b c/d+e&f<g>%20h", "ü"]) {
      expect(await statusOf(operator, "PUT", `/uploads/${encodeURIComponent(key)}`, key)).toBe(200);
    }
    const remove = (forceDestroy: boolean) =>
      spacesBucket.delete(standIn(), "uploads", { region: "fra1", forceDestroy });
    await expect(remove(false)).rejects.toThrow("bucket uploads is not empty");
    await remove(true);
    expect(await spacesBucket.read(standIn(), "uploads", { region: "fra1" })).toBeUndefined();
    await remove(false);
  });
});

check(
  "files, address and keys outlive the daemon and a killed server",
  async () => {
    await machines.close();
    machines = new DockerMachines(options);
    expect(await machines.applySpaces({ keys: [operator, writer] })).toEqual(door);
    expect(await contentOf(writer, "/photos/a%20cat.jpg")).toBe("meow");

    const { State } = await server().inspect();
    process.kill(State.Pid, "SIGKILL");
    await eventually("the server is back", async () => {
      const again = (await server().inspect()).State;
      return (
        again.Running && again.Pid !== State.Pid && (await statusOf(writer, "GET", "/")) === 403
      );
    });
    expect(await contentOf(writer, "/photos/a%20cat.jpg")).toBe("meow");
    expect(await statusOf(writer, "PUT", "/papers/note", "x")).toBe(403);
  },
  60_000,
);

check("a Droplet finds it at a link-local address, and its secrets show nowhere", async () => {
  await machines.applyNetwork(network);
  const { Config, Image } = await server().inspect();
  const inVpc = await docker.createContainer({
    Image,
    Labels: { [INSTANCE_LABEL]: INSTANCE },
    Cmd: ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", `${door.dropletEndpoint}/photos`],
    HostConfig: { NetworkMode: vpcName(INSTANCE, vpc.id) },
  });
  await inVpc.start();
  await inVpc.wait();
  expect((await inVpc.logs({ stdout: true, stderr: true })).toString()).toMatch(/403$/);
  expect(JSON.stringify(Config)).not.toContain("secret of");
});

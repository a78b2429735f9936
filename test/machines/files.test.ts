/** A stack's files: the component by the real engine and the stand-in, on the local API and a real S3 server. */
import { AwsClient } from "aws4fetch";
import Docker from "dockerode";
import { Files } from "../../components/files";
import { DockerMachines, resetMachines } from "../../local/machines/docker";
import { ensureImages } from "../../local/machines/docker/images";
import { preflight } from "../../local/machines/docker/preflight";
import { ensureS3Program } from "../../local/s3/program";
import { hasEngine, Laboratory, run } from "../conformance/provider/stack";

const INSTANCE = "f11e5a";

let impossible: string | undefined;
let machines: DockerMachines;
let laboratory: Laboratory;
let spaces: Record<"endpoint" | "access_key" | "secret_key", string>;

beforeAll(async () => {
  impossible = hasEngine ? await preflight() : "the Pulumi engine has not been set up";
  if (impossible) {
    console.warn(`SKIPPED files of a stack: ${impossible}`);
    return;
  }
  await ensureImages();
  await ensureS3Program({ note: () => undefined });
  await resetMachines(INSTANCE);
  machines = new DockerMachines({ instance: INSTANCE, docker: new Docker() });
  laboratory = await Laboratory.open(machines);
  const opened = await fetch(`${laboratory.api.url}/_local/spaces`, {
    method: "POST",
    headers: { authorization: `Bearer ${laboratory.token}` },
  });
  spaces = (await opened.json()) as typeof spaces;
}, 600_000);

afterAll(async () => {
  if (impossible) return;
  await laboratory.close();
  await machines.close();
  await resetMachines(INSTANCE);
}, 60_000);

const statusAs = async (
  [accessKeyId = "", secretAccessKey = ""]: readonly string[],
  method: string,
  path: string,
) => {
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    service: "s3",
    region: "us-east-1",
    retries: 0,
  });
  const answer = await client.fetch(`${spaces.endpoint}${path}`, {
    method,
    ...(path.endsWith("/photo") && method === "PUT" && { body: "x" }),
  });
  await answer.arrayBuffer();
  return answer.status;
};

it("come up once, are written with their own key alone, change in place, and go with what is in them", async () => {
  if (impossible) return;
  let versioning = false;
  const stack = await laboratory.stack(
    "files",
    async () => {
      const { told, given } = new Files("files", { region: "fra1", versioning, protect: false });
      return Promise.resolve({ ...told, ...given });
    },
    {
      SPACES_ENDPOINT_URL: spaces.endpoint,
      SPACES_ACCESS_KEY_ID: spaces.access_key,
      SPACES_SECRET_ACCESS_KEY: spaces.secret_key,
    },
  );
  expect(await run(stack, "up")).toEqual([
    "create Files",
    "create SpacesBucket",
    "create SpacesKey",
  ]);
  expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
  expect(await run(stack, "refresh")).toEqual([]);

  const outputs = await stack.outputs();
  const output = (name: string) => String(outputs[name]?.value);
  const bucket = output("FILES_BUCKET");
  expect(bucket).toMatch(/^files-[0-9a-f]{7}$/);
  expect(output("FILES_ENDPOINT")).toBe("https://fra1.digitaloceanspaces.com");
  expect(outputs.files_secret_key?.secret).toBe(true);
  const operator = [spaces.access_key, spaces.secret_key];
  const app = [output("FILES_ACCESS_KEY"), output("files_secret_key")];
  expect(await statusAs(operator, "PUT", "/others")).toBe(200);
  expect(await statusAs(app, "PUT", `/${bucket}/photo`)).toBe(200);
  expect(await statusAs(app, "GET", `/${bucket}/photo`)).toBe(200);
  expect(await statusAs(app, "PUT", "/others/photo")).toBe(403);
  expect(await statusAs(app, "GET", "/others?list-type=2")).toBe(403);

  versioning = true;
  expect(await run(stack, "up")).toEqual(["update SpacesBucket"]);
  expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
  expect(await statusAs(app, "DELETE", `/${bucket}/photo`)).toBe(204);

  await run(stack, "destroy");
  expect(await statusAs(operator, "GET", `/${bucket}?list-type=2`)).toBe(404);
  expect(await statusAs(app, "PUT", "/others/photo")).toBe(403);
  expect(await laboratory.request("GET", "/spaces/keys")).toMatchObject({ keys: [] });
}, 180_000);

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type OutgoingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { nodeBinary } from "../../../local/machines/docker/image-build";
import { hasS3Program, s3Program } from "../../../local/s3/program";
import { freePort } from "../../../scripts/bench/free-port";
import { App, buildApp, eventually, hasSqlite, scratchDir } from "./harness";

const skipped = hasS3Program() ? undefined : "no S3 server: npm test makes it";
if (skipped) console.warn(`SKIPPED files of the sample app: ${skipped}`);

let dir: string;
let app: App;
let s3: ChildProcess;

const start = async () => {
  dir = scratchDir("notes-files");
  const secret = join(dir, "secret");
  writeFileSync(secret, "root-secret\n");
  mkdirSync(join(dir, "s3"));
  const port = await freePort();
  const root = { ROOT_ACCESS_KEY: "root", ROOT_SECRET_KEY: "root-secret" };
  s3 = spawn(s3Program(), ["--quiet", "--port", `127.0.0.1:${port}`, "posix", join(dir, "s3")], {
    env: { PATH: process.env.PATH, ...root },
    stdio: "ignore",
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const operator = new AwsClient({
    accessKeyId: "root",
    secretAccessKey: "root-secret",
    service: "s3",
    region: "us-east-1",
    retries: 0,
  });
  await eventually(async () => {
    const made = await operator.fetch(`${endpoint}/uploads`, { method: "PUT" });
    expect(made.status).toBe(200);
  });
  // SQLite needs a newer Node.js than tests may run on.
  let node = process.execPath;
  if (!hasSqlite(node)) {
    const { content } = await nodeBinary(() => undefined);
    node = join(dir, "node");
    writeFileSync(node, content, { mode: 0o755 });
  }
  const environment = {
    DATABASE_FILE: join(dir, "notes.db"),
    FILES_ENDPOINT: endpoint,
    FILES_REGION: "us-east-1",
    FILES_BUCKET: "uploads",
    FILES_ACCESS_KEY: "root",
    FILES_SECRET_KEY_FILE: secret,
  };
  app = new App(buildApp(dir), await freePort(), environment, [], node);
  await eventually(async () => expect((await fetch(`${app.url}/healthz`)).status).toBe(200));
};
beforeAll(() => (skipped ? undefined : start()), 60_000);

afterAll(async () => {
  if (skipped) return;
  app.signal("SIGTERM");
  await app.exit;
  s3.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

const check = (name: string, body: () => Promise<void>) =>
  it(name, async () => (skipped ? undefined : body()));
const put = (name: string, body: Buffer | string, type = "image/png") =>
  fetch(`${app.url}/api/files/${name}`, {
    method: "PUT",
    headers: { "content-type": type },
    body,
  });

/** The answer to a file that has been announced and not yet sent. */
const announced = (name: string, headers: OutgoingHttpHeaders) =>
  new Promise((resolve, reject) => {
    const options = { method: "PUT", headers };
    const sent = request(`${app.url}/api/files/${name}`, options, (response) => {
      response.resume();
      resolve(response.statusCode);
      sent.destroy();
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });

check(
  "a file comes back as it was sent, byte for byte, and never as a page of the app",
  async () => {
    const content = randomBytes(5 * 1024 * 1024);
    expect((await put("cat.png", content)).status).toBe(201);
    const answer = await fetch(`${app.url}/files/cat.png`);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "image/png",
      "content-length": String(content.length),
      "content-disposition": 'attachment; filename="cat.png"',
      "x-content-type-options": "nosniff",
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
  },
);

check(
  "a browser's form uploads without scripts, and the page lists and deletes the file",
  async () => {
    const form = new FormData();
    form.set("file", new Blob(["hello"], { type: "text/plain" }), "note.txt");
    const posted = await fetch(`${app.url}/files`, {
      method: "POST",
      body: form,
      redirect: "manual",
    });
    expect(posted.status).toBe(303);
    expect(await (await fetch(`${app.url}/files/note.txt`)).text()).toBe("hello");
    expect(await (await fetch(app.url)).text()).toContain('<a href="/files/note.txt">note.txt</a>');
    await fetch(`${app.url}/files/note.txt/delete`, { method: "POST" });
    expect((await fetch(`${app.url}/files/note.txt`)).status).toBe(404);
    expect(await (await fetch(app.url)).text()).not.toContain("note.txt");
  },
);

check(
  "a file that is too large, nameless or of unknown size is refused, and nothing is kept",
  async () => {
    const names = async () =>
      ((await (await fetch(`${app.url}/api/files`)).json()) as { files: { name: string }[] }).files;
    const before = await names();
    expect(await announced("large", { "content-length": 20 * 1024 * 1024 + 1 })).toBe(413);
    expect(await announced("chunked", { "transfer-encoding": "chunked" })).toBe(411);
    expect((await put("..%2Fetc", "x")).status).toBe(422);
    expect((await put("%3Cb%3E", "x")).status).toBe(422);
    const form = new FormData();
    form.set("file", new Blob(["x"]), "a b.txt");
    expect((await fetch(`${app.url}/files`, { method: "POST", body: form })).status).toBe(422);
    expect(await names()).toEqual(before);
  },
);

check("the page stays up while the bucket is away, and says so", async () => {
  s3.kill("SIGKILL");
  await eventually(async () => expect((await fetch(`${app.url}/api/files`)).status).toBe(503));
  const page = await fetch(app.url);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("The files cannot be reached right now.");
});

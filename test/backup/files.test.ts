import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { AwsClient } from "aws4fetch";
import { backUp } from "../../components/backup/agent/backup";
import { Bucket } from "../../components/backup/agent/bucket";
import type { Manifest } from "../../components/backup/agent/manifest";
import { type BackupRequest, restoreBackup } from "../../components/backup/agent/restore-backup";
import type { BackupSettings, BucketPlace } from "../../components/backup/settings";
import { keys, missing, Servers } from "./servers";

const absent = missing();
if (absent.length > 0) console.warn(`SKIPPED uploaded files: not installed: ${absent.join(", ")}`);

const ODD = "dir/a b&<ü>+'(1).txt";

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

(absent.length > 0 ? describe.skip : describe)("a bucket of uploaded files", () => {
  let servers: Servers;
  let files: BucketPlace;
  let client: AwsClient;
  let made: Manifest;

  const url = (key: string) =>
    `${files.endpoint}/${files.bucket}/${encodeURIComponent(key)
      .replaceAll("%2F", "/")
      .replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)}`;
  const put = async (key: string, body: string, type = "text/plain") => {
    const headers = { "content-type": type };
    expect((await client.fetch(url(key), { method: "PUT", body, headers })).status).toBe(200);
  };
  const get = async (key: string) => {
    const answer = await client.fetch(url(key));
    return answer.status === 200
      ? `${answer.headers.get("content-type")}: ${await answer.text()}`
      : answer.status;
  };
  const settings = (): BackupSettings => {
    const { server: _server, ...rest } = servers.settings();
    return { ...rest, files };
  };
  const restore = async (request: Partial<BackupRequest> = {}) =>
    (
      await servers.agent(
        (context) =>
          restoreBackup(
            context,
            made.id,
            { identity: keys.identity, from: "first", dryRun: false, ...request },
            () => Promise.reject(new Error("nothing has to stop")),
          ),
        settings(),
      )
    ).result;

  beforeAll(async () => {
    servers = await new Servers().start({ postgres: false });
    files = { ...servers.s3, bucket: "uploads" };
    client = new AwsClient({
      accessKeyId: files.accessKey,
      secretAccessKey: files.secretKey,
      service: "s3",
      region: files.region,
    });
    await client.fetch(`${files.endpoint}/${files.bucket}`, { method: "PUT" });
    await put(ODD, "odd name");
    await put("photo.png", "x".repeat(3_000_000), "image/png");
    await put("empty", "");
    made = (await servers.agent(backUp, settings())).result;
  }, 60_000);
  afterAll(() => servers.stop());

  test("is listed whole, however many pages that takes", async () => {
    const bucket = new Bucket(files, new AbortController().signal);
    const all = await bucket.list();
    expect(all.map(({ key }) => key).sort()).toEqual([ODD, "empty", "photo.png"].sort());
    expect(await bucket.list(2)).toEqual(all);
    expect(made.parts).toMatchObject([{ kind: "files", files: 3, originalBytes: 3_000_008 }]);
  });

  test("gets back what is gone and what was changed, keeps what that replaces, and what came later", async () => {
    await client.fetch(url(ODD), { method: "DELETE" });
    await put("photo.png", "overwritten");
    await put("later", "made after the backup");
    const { dryRun, bucket } = await restore({ dryRun: true });
    expect([dryRun, bucket, await get(ODD)]).toEqual([true, true, 404]);

    const { keptObjects, ...counted } = await restore({ from: "second" });
    expect(counted).toMatchObject({ objects: 3, written: 2 });
    expect(keptObjects).toMatch(/^before_\d{8}t\d{6}z$/);
    expect(await get(ODD)).toBe("text/plain: odd name");
    expect(await get("photo.png")).toBe(`image/png: ${"x".repeat(3_000_000)}`);
    expect(await get("later")).toBe("text/plain: made after the backup");
    expect(await get(`${String(keptObjects)}/photo.png`)).toBe("text/plain: overwritten");

    expect(await restore({ files: true })).toMatchObject({ objects: 3, written: 0 });
    const again = (await servers.agent(backUp, settings())).result;
    expect(again.parts).toMatchObject([{ files: 4 }]);
  });

  test("is left as it is when the copy is damaged", async () => {
    const file = path.join(servers.objects, "backups", made.id, "files.tar.zst.age");
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[good.length - 20]! ^= 1;
    writeFileSync(file, bad);
    await put("empty", "changed");
    await expect(restore()).rejects.toThrow(
      "files.tar.zst.age in the first place is damaged: its SHA-256 is another one; try --from second",
    );
    expect(await get("empty")).toBe("text/plain: changed");
    await expect(restore({ service: "web" })).rejects.toThrow("has no files of web");
  });
});

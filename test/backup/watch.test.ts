import { cpSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { backUp } from "../../components/backup/agent/backup";
import { beatHeart } from "../../components/backup/agent/heartbeat";
import { markLog } from "../../components/backup/agent/log-mark";
import { look } from "../../components/backup/watch/look";
import type { ContainerServer } from "../../components/backup/settings";
import { httpServer } from "../acme/harness";
import { missing, Servers } from "./servers";

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED the watch over backups: not installed: ${absent.join(", ")}`);

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

(absent.length > 0 ? describe.skip : describe)("the watch over backups", () => {
  let servers: Servers;
  let id: string;
  beforeAll(async () => {
    servers = await new Servers().start();
    servers.sql("app", "CREATE TABLE notes AS SELECT i FROM generate_series(1, 100) i");
    id = (await servers.agent(backUp)).result.id;
  });
  afterAll(() => servers.stop());

  const server = () => servers.settings().server as ContainerServer;
  const HOUR_MS = 3_600_000;
  const found = async ({ hours = 0, log = false, settings = servers.settings() } = {}) => {
    const now = new Date(Date.now() + hours * HOUR_MS);
    const { result } = await servers.agent(
      ({ stores }) => look({ ...settings, maxAgeHours: 26, log }, stores, now),
      settings,
    );
    return { says: result.problems.map(({ says }) => says), unreachable: result.unreachable };
  };

  test("finds nothing to say about a fresh backup, and in each place that it is too old a day later", async () => {
    expect(await found({ hours: 25 })).toEqual({ says: [], unreachable: [] });
    expect((await found({ hours: 30 })).says).toEqual(
      ["first", "second"].map((place): unknown =>
        expect.stringMatching(
          `^the newest backup is 30.* h old instead of 26 h at most .${id}. in the ${place} place$`,
        ),
      ),
    );
  });

  test("notices a place without a backup, a file that is short and a manifest that is damaged", async () => {
    const at = path.join(servers.copies, "backups", id);
    const kept = path.join(servers.root, "kept");
    cpSync(at, kept, { recursive: true });
    truncateSync(path.join(at, "database-app.dump.zst.age"), 10);
    expect((await found()).says).toEqual([
      `database-app.dump.zst.age of backup ${id} is missing or has another size in the second place`,
    ]);
    writeFileSync(path.join(at, "manifest.json"), "{");
    expect((await found()).says).toEqual([
      `the manifest of backup ${id} is damaged in the second place`,
    ]);
    rmSync(at, { recursive: true });
    expect((await found()).says).toEqual(["there is no backup in the second place"]);
    cpSync(kept, at, { recursive: true });
  });

  test("a place that does not answer is one that cannot be read, and the other one is looked at all the same", async () => {
    const settings = servers.settings();
    const away = {
      ...settings,
      places: { ...settings.places, second: { ...servers.sftp, port: 1 } },
    };
    const { says, unreachable } = await found({ hours: 30, settings: away });
    expect(unreachable).toEqual(["second"]);
    expect(says).toEqual([
      expect.stringContaining("in the first place"),
      expect.stringMatching(/^the second place cannot be read: .*/),
    ]);
  });

  test("a log that does not get through is noticed, and one to which nobody writes gets marks", async () => {
    for (const root of [servers.objects, servers.copies]) {
      cpSync(path.join(root, "backups"), path.join(root, "wal/7"), { recursive: true });
    }
    expect((await found({ log: true, hours: 1 })).says).toEqual([]);
    expect((await found({ log: true, hours: 3 })).says[0]).toContain("3.0 h old");
    const end = () => servers.sql("postgres", "SELECT pg_current_wal_insert_lsn()");
    const before = end();
    await markLog(server());
    expect(end() > before).toBe(true);
  });

  test("the heartbeat is heard after some attempts, and its address is in no event", async () => {
    const answers = [500, 200];
    const asked: (string | undefined)[] = [];
    const { server, port } = await httpServer((incoming, response) => {
      asked.push(incoming.url);
      response.writeHead(answers.shift() ?? 404).end();
    });
    const settings = servers.settings({ heartbeat: `http://127.0.0.1:${port}/ping/secret` });
    const beat = () => servers.agent((context) => beatHeart(context, [0]), settings);
    expect((await beat()).told).toEqual([]);
    expect(asked).toEqual(["/ping/secret", "/ping/secret"]);
    expect((await beat()).told).toEqual([
      { event: "note", text: "the heartbeat was not heard: it was answered 404" },
    ]);
    server.close();
  });
});

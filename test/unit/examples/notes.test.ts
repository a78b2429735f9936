import { spawn, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { Agent, get, request } from "node:http";
import { join } from "node:path";
import { nodeBinary } from "../../../local/machines/docker/image-build";
import { freePort } from "../../../scripts/bench/free-port";
import { App, Postgres, buildApp, eventually, hasSqlite, postgresBin, scratchDir } from "./harness";

const bin = postgresBin();
if (!bin) console.warn("SKIPPED notes on PostgreSQL: no server (apt-get install postgresql-15)");
/** A Node with SQLite built in is the one that the images get, where it is not this one. */
const canHaveSqlite = hasSqlite(process.execPath) || process.platform === "linux";
if (!canHaveSqlite) {
  console.warn(`SKIPPED notes on SQLite: Node ${process.version} has no node:sqlite`);
}

const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasRedis) console.warn("SKIPPED sessions in the cache: not installed: redis-server");

let dir: string;
let script: string;
beforeAll(() => {
  dir = scratchDir("notes");
  script = buildApp(dir);
}, 60_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
const postJson = (url: string, body: unknown) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** What holds for every database. */
function behaves(
  environment: () => NodeJS.ProcessEnv,
  node: () => string = () => process.execPath,
) {
  let app: App;

  beforeAll(async () => {
    const migrate = () => new App(script, 0, environment(), ["migrate"], node());
    const migrated = [migrate(), migrate()];
    for (const run of migrated) expect(await run.exit).toBe(0);
    app = new App(
      script,
      await freePort(),
      {
        ...environment(),
        NODE_NAME: "node-<1>",
        APP_VERSION: "1.2.3",
      },
      [],
      node(),
    );
    await eventually(async () => expect((await fetch(`${app.url}/healthz`)).status).toBe(200));
  }, 30_000);

  afterAll(async () => {
    app.signal("SIGTERM");
    await app.exit;
  });

  it("counts every click once, however many come together", async () => {
    const { counter: before } = await json(await fetch(`${app.url}/api/counter`));
    await Promise.all(
      Array.from({ length: 50 }, () => fetch(`${app.url}/api/counter`, { method: "POST" })),
    );
    const { counter } = await json(await fetch(`${app.url}/api/counter`));
    expect(counter).toBe(Number(before) + 50);
  });

  it("keeps notes, shows them escaped, and deletes them", async () => {
    const text = `<script>alert("1")</script>'`;
    const created = await postJson(`${app.url}/api/notes`, { text });
    expect(created.status).toBe(201);
    const { note } = (await created.json()) as { note: { id: number; text: string } };
    expect(note.text).toBe(text);
    const page = await (await fetch(app.url)).text();
    expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;");
    expect(page).not.toContain("<script");
    expect(page).toContain("node-&lt;1&gt;");
    expect(page).toContain("1.2.3");
    const gone = await fetch(`${app.url}/api/notes/${note.id}`, { method: "DELETE" });
    expect(gone.status).toBe(200);
    expect((await fetch(`${app.url}/api/notes/${note.id}`, { method: "DELETE" })).status).toBe(404);
  });

  it("works as a form in a browser without scripts", async () => {
    const answer = await fetch(`${app.url}/notes`, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ text: "from a form" }),
    });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
    expect(await (await fetch(app.url)).text()).toContain("from a form");
  });

  it("never goes back: the latest value is the highest that anybody has put", async () => {
    const put = (value: unknown) =>
      fetch(`${app.url}/api/latest`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ value }),
      });
    const values = Array.from({ length: 20 }, (_, index) => 1000 + index);
    await Promise.all([...values].reverse().map(put));
    expect(await json(await put(7))).toMatchObject({ latest: 1019 });
    expect(await json(await fetch(`${app.url}/api/latest`))).toMatchObject({ latest: 1019 });
    expect((await put(-1)).status).toBe(422);
    expect((await put("many")).status).toBe(422);
  });

  it("knows a visitor again, until they leave", async () => {
    await knowsVisitor(app.url, [app.url]);
    const stranger = await fetch(`${app.url}/api/session`, {
      headers: { cookie: "session=made-up" },
    });
    expect(await json(stranger)).toEqual({ name: null });
  });

  it.each([
    ["an empty note", { text: "  " }, 422],
    ["a note of 501 characters", { text: "x".repeat(501) }, 422],
    ["a note that is no text", { text: 5 }, 422],
    ["a body over 16 KiB", { text: "x".repeat(20_000) }, 413],
  ])("refuses %s", async (_title, body, status) => {
    const answer = await postJson(`${app.url}/api/notes`, body);
    expect(answer.status).toBe(status);
    expect(await json(answer)).toEqual({ error: expect.any(String) as string });
  });

  it.each([
    ["GET", "/nothing", 404],
    ["DELETE", "/api/counter", 405],
  ])("answers %s %s with an error page or object, status %i", async (method, path, status) => {
    const answer = await fetch(app.url + path, { method });
    expect(answer.status).toBe(status);
  });

  it("on SIGTERM finishes the request in flight, takes no new one, and ends with 0", async () => {
    const other = new App(script, await freePort(), environment(), [], node());
    await eventually(async () => expect((await fetch(`${other.url}/healthz`)).status).toBe(200));
    const slow = slowPost(other.port, JSON.stringify({ text: "in flight" }));
    await slow.begun;
    other.signal("SIGTERM");
    await eventually(() => expect(other.output).toContain("draining"));
    await eventually(() => expect(refused(other.port)).resolves.toBe(true));
    expect(await slow.finish()).toEqual({ status: 201, connection: "close" });
    expect(await other.exit).toBe(0);
  }, 30_000);
}

/** Begins a session at one process; the others know it too, and forget it together. */
async function knowsVisitor(url: string, others: readonly string[]) {
  const begun = await postJson(`${url}/api/session`, { name: "Ada <3" });
  expect(begun.status).toBe(201);
  const header = begun.headers.get("set-cookie") ?? "";
  expect(header).toMatch(/^session=[\w-]{32}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax$/);
  const cookie = header.split(";")[0] ?? "";
  const nameAt = async (at: string) =>
    json(await fetch(`${at}/api/session`, { headers: { cookie } }));
  for (const other of others) expect(await nameAt(other)).toEqual({ name: "Ada <3" });
  const page = await fetch(url, { headers: { cookie } });
  expect(await page.text()).toContain("Hello, <strong>Ada &lt;3</strong>");
  await fetch(`${url}/api/session`, { method: "DELETE", headers: { cookie } });
  for (const other of others) expect(await nameAt(other)).toEqual({ name: null });
}

/** A POST whose body is held back until `finish`. */
function slowPost(port: number, body: string) {
  const agent = new Agent({ keepAlive: true });
  const outgoing = request({
    host: "127.0.0.1",
    port,
    agent,
    method: "POST",
    path: "/api/notes",
    headers: {
      "content-type": "application/json",
      "content-length": String(body.length),
      expect: "100-continue",
    },
  });
  const answered = new Promise<{ status?: number; connection?: string }>((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      response.resume();
      resolve({ status: response.statusCode, connection: response.headers.connection });
    });
  });
  // The server says "continue" once it has the head: the request is in flight from then on.
  const begun = new Promise<void>((resolve) => outgoing.once("continue", () => resolve()));
  outgoing.flushHeaders();
  return {
    begun,
    finish: () => {
      outgoing.end(body);
      return answered.finally(() => agent.destroy());
    },
  };
}

const refused = (port: number) =>
  new Promise<boolean>((resolve) => {
    get({ host: "127.0.0.1", port, agent: false }, (response) => {
      response.resume();
      resolve(false);
    }).once("error", () => resolve(true));
  });

(bin ? describe : describe.skip)("notes on PostgreSQL", () => {
  let postgres: Postgres;
  let urlFile: string;

  beforeAll(async () => {
    postgres = await Postgres.start(bin ?? "");
    urlFile = join(dir, "database-url");
    writeFileSync(urlFile, `${postgres.url}\n`);
  }, 60_000);
  afterAll(() => postgres.stop());

  behaves(() => ({ DATABASE_URL_FILE: urlFile, REPORTS: "elsewhere" }));

  describe("with reports to write", () => {
    const running: App[] = [];
    let web: App;

    const start = async (node: string, args: readonly string[], more = {}) => {
      const environment = { DATABASE_URL_FILE: urlFile, NODE_NAME: node, DRAIN_SECONDS: "0" };
      const app = new App(script, await freePort(), { ...environment, ...more }, args);
      running.push(app);
      return app;
    };
    const ask = async (seconds: number) => {
      const answer = await postJson(`${web.url}/api/reports`, { seconds });
      expect(answer.status).toBe(201);
      return ((await answer.json()) as { report: { id: string } }).report.id;
    };
    const report = async (id: string) =>
      (await json(await fetch(`${web.url}/api/reports/${id}`))).report;

    beforeAll(async () => {
      web = await start("web", [], { REPORTS: "elsewhere" });
      await eventually(async () => expect((await fetch(`${web.url}/healthz`)).status).toBe(200));
    });
    afterAll(async () => {
      for (const app of running) app.signal("SIGKILL");
      await Promise.all(running.map(({ exit }) => exit));
    });

    it("loses none when the process that works on it dies, and none is written twice", async () => {
      const lost = await ask(2);
      const first = await start("node-1", ["worker"]);
      await eventually(() => expect(first.output).toContain(`report ${lost}: attempt 1`));
      first.signal("SIGKILL");
      const others = await Promise.all([0, 0, 0, 0].map(ask));
      const second = await start("node-2", ["worker"]);
      for (const id of others) {
        await eventually(async () =>
          expect(await report(id)).toMatchObject({ doneBy: "node-2", attempts: 1 }),
        );
      }
      await eventually(
        async () => expect(await report(lost)).toMatchObject({ doneBy: "node-2", attempts: 2 }),
        30,
      );
      expect(await json(await fetch(`${web.url}/api/reports`))).toMatchObject({
        waiting: 0,
        done: 5,
      });
      second.signal("SIGTERM");
      expect(await second.exit).toBe(0);
    }, 40_000);

    it("writes them in the web server itself where nothing else is said", async () => {
      const id = await ask(0);
      const alone = await start("alone", []);
      await eventually(async () => expect(await report(id)).toMatchObject({ doneBy: "alone" }));
      alone.signal("SIGTERM");
      expect(await alone.exit).toBe(0);
    });

    it("hands a long one over at once when its process is told to stop", async () => {
      const id = await ask(60);
      const first = await start("node-1", ["worker"]);
      await eventually(() => expect(first.output).toContain(`report ${id}: attempt 1`));
      first.signal("SIGTERM");
      expect(await first.exit).toBe(0);
      const second = await start("node-2", ["worker"]);
      await eventually(() => expect(second.output).toContain(`report ${id}: attempt 2`));
      second.signal("SIGTERM");
      expect(await second.exit).toBe(0);
    }, 30_000);

    it("refuses one that would take longer than a minute", async () => {
      expect((await postJson(`${web.url}/api/reports`, { seconds: 61 })).status).toBe(422);
    });
  });

  (hasRedis ? it : it.skip)(
    "keeps sessions in the cache where there is one",
    async () => {
      const port = await freePort();
      const cache = spawn("redis-server", ["--port", String(port), "--save", "", "--dir", dir]);
      const environment = { DATABASE_URL_FILE: urlFile, CACHE_URL: `redis://127.0.0.1:${port}` };
      const start = async () => new App(script, await freePort(), environment);
      const [one, other] = await Promise.all([start(), start()]);
      try {
        await eventually(async () => {
          for (const { url } of [one, other]) {
            expect(
              (await fetch(`${url}/api/session`, { headers: { cookie: "session=x" } })).status,
            ).toBe(200);
          }
        });
        await knowsVisitor(one.url, [one.url, other.url]);
        cache.kill("SIGKILL");
        await eventually(async () =>
          expect((await postJson(`${one.url}/api/session`, { name: "Ada" })).status).toBe(503),
        );
        // What needs no session is served all the same.
        expect((await fetch(one.url, { headers: { cookie: "session=x" } })).status).toBe(200);
      } finally {
        cache.kill("SIGKILL");
        for (const app of [one, other]) app.signal("SIGTERM");
        expect(await Promise.all([one.exit, other.exit])).toEqual([0, 0]);
      }
    },
    40_000,
  );
});

(canHaveSqlite ? describe : describe.skip)("notes on SQLite", () => {
  let node = process.execPath;

  beforeAll(async () => {
    if (hasSqlite(node)) return;
    const { content } = await nodeBinary(() => undefined);
    node = join(dir, "node");
    writeFileSync(node, content, { mode: 0o755 });
  }, 120_000);

  behaves(
    () => ({ DATABASE_FILE: join(dir, "notes.db") }),
    () => node,
  );
});

describe("notes without its database", () => {
  it("says unhealthy within the health check's time, and keeps running", async () => {
    const unreachable = `postgres://notes@127.0.0.1:${await freePort()}/notes`;
    const app = new App(script, await freePort(), { DATABASE_URL: unreachable });
    const answer = await eventually(() => fetch(`${app.url}/healthz`));
    expect(answer.status).toBe(503);
    expect(await json(answer)).toEqual({
      error: "The database does not answer right now. Please try again.",
    });
    app.signal("SIGTERM");
    expect(await app.exit).toBe(0);
  }, 20_000);

  it("does not start without being told where it is", async () => {
    const app = new App(script, await freePort(), {});
    expect(await app.exit).toBe(1);
    expect(app.output).toContain(
      "one of DATABASE_URL_FILE, DATABASE_URL or DATABASE_FILE must be set",
    );
  });

  it("ends a migration with an error, so that the deploy stops", async () => {
    const unreachable = `postgres://notes:secret@127.0.0.1:${await freePort()}/notes`;
    const app = new App(script, 0, { DATABASE_URL: unreachable }, ["migrate"]);
    expect(await app.exit).toBe(1);
    expect(app.output).not.toContain("secret");
  });
});

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import type { Readable } from "node:stream";
import { pack } from "tar-stream";
import { backUp } from "../../components/backup/agent/backup";
import type { Manifest } from "../../components/backup/agent/manifest";
import { type BackupRequest, restoreBackup } from "../../components/backup/agent/restore-backup";
import { unpack } from "../../components/backup/agent/tree";
import type { BackupSettings } from "../../components/backup/settings";
import { eventually } from "../unit/examples/harness";
import { keys, missing, Servers } from "./servers";

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED files on volumes: not installed: ${absent.join(", ")}`);

/** Who owns the app's files. */
const APP = process.getuid?.() === 0 ? 4321 : (process.getuid?.() ?? 0);

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

(absent.length > 0 ? describe.skip : describe)("what services keep on the Volume", () => {
  let servers: Servers;
  let app: ChildProcess;
  let made: Manifest;
  const stopped: string[][] = [];

  const volumes = () => path.join(servers.root, "services");
  const web = (...names: string[]) => path.join(volumes(), "web", ...names);
  const settings = (): BackupSettings => {
    const { server: _server, ...rest } = servers.settings();
    return { ...rest, volumes: { directory: volumes(), services: ["web", "idle"] } };
  };
  const backup = async () => (await servers.agent(backUp, settings())).result;
  const restore = (request: Partial<BackupRequest> = {}, stop = () => Promise.resolve()) =>
    servers.agent(
      (context) =>
        restoreBackup(
          context,
          made.id,
          { identity: keys.identity, from: "first", dryRun: false, ...request },
          (services) => {
            stopped.push([...services]);
            return stop();
          },
        ),
      settings(),
    );
  const sql = (file: string, text: string) => {
    const { status, stdout, stderr } = spawnSync("sqlite3", ["-bail", file], {
      input: text,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  };

  beforeAll(async () => {
    servers = await new Servers().start({ postgres: false });
    mkdirSync(web("uploads", "ünï"), { recursive: true });
    mkdirSync(path.join(volumes(), "idle"));
    chmodSync(web(), 0o777);
    sql(
      web("app.db"),
      "PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER PRIMARY KEY, text); CREATE TABLE items (id INTEGER PRIMARY KEY, text); CREATE VIRTUAL TABLE words USING fts5(text); INSERT INTO words VALUES ('found');",
    );
    sql(web("uploads/old journal.sqlite"), "CREATE TABLE t AS SELECT 7 AS n;");
    writeFileSync(web("uploads", "ünï", "large"), Buffer.alloc(3_000_001, "x"));
    writeFileSync(web("uploads", "empty"), "");
    writeFileSync(web("a".repeat(150)), "long name");
    symlinkSync("../elsewhere", web("uploads", "link"));
    chmodSync(web("uploads", "empty"), 0o640);
    for (const name of ["", "app.db", "uploads/empty", "uploads/old journal.sqlite"])
      chownSync(web(name), APP, APP);
    // Each transaction writes to both tables: a copy with one of the two only would be torn.
    app = spawn("sqlite3", ["-bail", web("app.db")], {
      uid: APP,
      gid: APP,
      stdio: ["pipe", "ignore", "inherit"],
    });
    app.stdin?.on("error", () => undefined);
    const write = () => {
      const text =
        "BEGIN; INSERT INTO orders (text) VALUES (hex(randomblob(500))); INSERT INTO items (text) VALUES (hex(randomblob(500))); COMMIT;\n";
      if (app.stdin?.writable) app.stdin.write(text.repeat(20), () => setImmediate(write));
    };
    write();
    await eventually(() => {
      expect(Number(sql(web("app.db"), "SELECT count(*) FROM items"))).toBeGreaterThan(1000);
      return Promise.resolve();
    });
    made = await backup();
  }, 60_000);
  afterAll(() => {
    app.kill("SIGKILL");
    servers.stop();
  });

  test("SQLite files are saved whole while the app writes, and everything else beside them", () => {
    expect(
      made.parts.map(({ kind, name, path: file, files }) => [kind, name, file ?? files]),
    ).toEqual([
      ["sqlite", "web", "app.db"],
      ["sqlite", "web", "uploads/old journal.sqlite"],
      ["volume", "web", 3],
      ["volume", "idle", 0],
    ]);
    const { tables = {} } = made.parts[0] ?? {};
    expect(tables['"orders"']?.rows).toBeGreaterThan(1000);
    expect(tables['"orders"']).toEqual(tables['"items"']);
    // Its logs are still the app's.
    expect(lstatSync(web("app.db-wal")).uid).toBe(APP);
    expect(readdirSync(volumes()).sort()).toEqual(["idle", "web"]);
  });

  test("a restore fills a directory beside, waits until the service is stopped, and keeps the old one", async () => {
    writeFileSync(web("uploads", "later"), "made after the backup");
    rmSync(web("uploads", "ünï"), { recursive: true });
    let before = 0;
    const { result } = await restore({ service: "web" }, async () => {
      expect(existsSync(web("uploads", "later"))).toBe(true);
      app.stdin?.end();
      await new Promise((resolve) => app.once("close", resolve));
      before = Number(sql(web("app.db"), "SELECT count(*) FROM items"));
    });
    expect(stopped).toEqual([["web"]]);
    const rows = made.parts[0]?.tables?.['"items"']?.rows ?? 0;
    const saved = made.parts.flatMap(({ tables = {} }) => Object.values(tables));
    expect(result).toMatchObject({
      services: ["web"],
      files: 5,
      fileRows: saved.reduce((sum, table) => sum + table.rows, 0),
    });
    expect(
      sql(
        web("app.db"),
        "PRAGMA integrity_check; SELECT count(*) FROM items; SELECT text FROM words; PRAGMA journal_mode",
      ),
    ).toBe(`ok\n${rows}\nfound\nwal`);
    expect(sql(web("uploads/old journal.sqlite"), "SELECT n FROM t")).toBe("7");
    expect(readFileSync(web("uploads", "ünï", "large")).length).toBe(3_000_001);
    expect(readFileSync(web("a".repeat(150)), "utf8")).toBe("long name");
    expect(readlinkSync(web("uploads", "link"))).toBe("../elsewhere");
    expect(existsSync(web("uploads", "later"))).toBe(false);
    expect([lstatSync(web()).mode & 0o7777, lstatSync(web()).uid]).toEqual([0o777, APP]);
    expect([
      lstatSync(web("uploads", "empty")).mode & 0o7777,
      lstatSync(web("app.db")).uid,
    ]).toEqual([0o640, APP]);
    const [old = ""] = result.keptDirectories as string[];
    expect(old).toMatch(/^web\.before_\d{8}t\d{6}z$/);
    expect(Number(sql(path.join(volumes(), old, "app.db"), "SELECT count(*) FROM items"))).toBe(
      before,
    );
    expect(readFileSync(path.join(volumes(), old, "uploads", "later"), "utf8")).toContain("after");
  });

  test("with a damaged copy, a wrong service, or a service that does not stop nothing is changed, and nothing is left", async () => {
    const there = readdirSync(volumes()).sort();
    const file = path.join(servers.objects, "backups", made.id, "sqlite-web-1.db.zst.age");
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[good.length >> 1]! ^= 1;
    writeFileSync(file, bad);
    await expect(restore({ service: "web" })).rejects.toThrow(
      /sqlite-web-1\.db\.zst\.age cannot be restored from the first place/,
    );
    await expect(restore({ service: "api" })).rejects.toThrow(
      "has no files of api: it has those of web, idle",
    );
    const stuck = () => Promise.reject(new Error("web does not stop"));
    await expect(restore({ service: "web", from: "second" }, stuck)).rejects.toThrow(
      "web does not stop",
    );
    expect(readdirSync(volumes()).sort()).toEqual(there);
    const { result } = await restore({ service: "web", from: "second", dryRun: true });
    expect(result).toMatchObject({ dryRun: true, services: ["web"] });
    expect(readdirSync(volumes()).sort()).toEqual(there);
    writeFileSync(file, good);
  });

  test("a lost Volume comes back from the second place alone", async () => {
    rmSync(volumes(), { recursive: true });
    mkdirSync(volumes());
    const { result } = await restore({ from: "second" });
    expect(result).toMatchObject({ services: ["web", "idle"], keptDirectories: [], files: 5 });
    expect(sql(web("app.db"), "SELECT text FROM words")).toBe("found");
  });

  test("a database that is damaged where it is ends the backup with its name", async () => {
    const content = readFileSync(web("app.db"));
    content.fill(0xff, 4096 * 2, 4096 * 6);
    writeFileSync(web("app.db"), content);
    await expect(backup()).rejects.toThrow(/sqlite web: app\.db: (it is damaged|.*malformed)/);
    expect(readdirSync(volumes()).sort()).toEqual(["idle", "web"]);
  });

  test("a forged archive writes nothing outside of the directory", async () => {
    const forge = async (fill: (tar: ReturnType<typeof pack>) => void) => {
      const tar = pack();
      fill(tar);
      tar.finalize();
      await unpack(tar as unknown as Readable, mkdtempSync(path.join(servers.root, "forged-")));
    };
    await expect(forge((tar) => tar.entry({ name: "../out" }, "x"))).rejects.toThrow("leads out");
    await expect(
      forge((tar) => {
        tar.entry({ name: "link", type: "symlink", linkname: servers.root });
        tar.entry({ name: "link/out" }, "x");
      }),
    ).rejects.toThrow("leads out");
    expect(existsSync(path.join(servers.root, "out"))).toBe(false);
  });
});

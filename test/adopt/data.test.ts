import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import * as path from "node:path";
import { FileMove } from "../../scripts/adopt/data/files";
import { Host } from "../../scripts/adopt/data/host";
import { moveForGood, rehearse, VolumeMove } from "../../scripts/adopt/data/move";
import { type DumpSource, PostgresMove } from "../../scripts/adopt/data/postgres";
import { fetchSqlite, SqliteMove } from "../../scripts/adopt/data/sqlite";
import { Directory } from "../../scripts/adopt/data/tree";
import { ServiceVolume } from "../../scripts/adopt/data/volume";
import type { SwarmEngine } from "../../providers/swarm/swarm/engine";
import { Servers } from "../backup/servers";
import { localPsql, PostgresServer } from "../migrate/servers";

const servers = new Servers();
let stack: PostgresServer;
let dir: string;
let count = 0;

beforeAll(async () => {
  [stack] = await Promise.all([PostgresServer.start(), servers.start()]);
  dir = mkdtempSync(path.join(tmpdir(), "adopt-data-"));
}, 60_000);
afterAll(() => {
  stack.stop();
  servers.stop();
  rmSync(dir, { recursive: true, force: true });
});

const login = () => ({
  hostKey: servers.sftp.hostKey,
  port: String(servers.sftp.port),
  identity: path.join(servers.root, "login"),
});
const oldServer = (signal?: AbortSignal) =>
  Host.ssh(`${userInfo().username}@127.0.0.1`, login(), signal);

function fresh(name: string): string {
  const made = path.join(dir, `${name}${count++}`);
  mkdirSync(made);
  return made;
}

/** Names and kinds that break what is put together by lines and words. */
function upload(): string {
  const at = fresh("volume");
  mkdirSync(path.join(at, "a dir/deep"), { recursive: true });
  writeFileSync(path.join(at, "a dir/deep/photo 'ü'\n2.jpg"), Buffer.alloc(3_000_000, 7));
  writeFileSync(Buffer.from(`${at}/latin-\xff`, "latin1"), "bytes that are no UTF-8");
  writeFileSync(path.join(at, "-rf"), "");
  writeFileSync(path.join(at, "app.log"), "one\n", { mode: 0o640 });
  symlinkSync("a dir/../somewhere else\n", path.join(at, "link"));
  linkSync(path.join(at, "app.log"), path.join(at, "twin"));
  if (process.getuid?.() === 0) chownSync(path.join(at, "app.log"), 1234, 4321);
  return at;
}

/** What `diff` and a listing say of two directories: nothing where they are the same. */
function difference(a: string, b: string): string {
  const list = (at: string) =>
    spawnSync("find", [".", "-printf", "%P %y %m %U %G %s %l\\n"], { cwd: at })
      .stdout.toString("latin1")
      .split("\n")
      .filter((line) => !/ d /.test(line))
      .sort()
      .join("\n");
  const { stdout } = spawnSync("diff", ["-r", "--no-dereference", a, b], { encoding: "latin1" });
  return stdout + (list(a) === list(b) ? "" : `${list(a)}\n≠\n${list(b)}`);
}

function serviceVolume(): { volume: ServiceVolume; services: string; live: string } {
  const services = fresh("services");
  const live = path.join(services, "web");
  mkdirSync(live);
  return { volume: new ServiceVolume(Host.local(), "web", services), services, live };
}

/** A swarm whose one service stops as soon as it is told to. */
function swarm(): { engine: SwarmEngine; told: number[] } {
  const told: number[] = [];
  const service = { id: "1", name: "web", replicas: 1, labels: {} };
  const engine = {
    services: () => Promise.resolve([service]),
    tasks: () =>
      Promise.resolve([{ serviceId: "1", state: service.replicas ? "running" : "shutdown" }]),
    updateService: (_: unknown, { replicas }: { replicas: number }) => {
      told.push((service.replicas = replicas));
      return Promise.resolve();
    },
  };
  return { engine: engine as unknown as SwarmEngine, told };
}

const label = "20261121t200000z";
const nothing = () => Promise.resolve();

test("files of a server behind SSH become the service's, what was there is kept, and the first pass is not read again", async () => {
  const source = upload();
  const { volume, live, services } = serviceVolume();
  writeFileSync(path.join(live, "made by the image"), "x");
  const { engine, told } = swarm();
  const move = new VolumeMove(new Directory(oldServer(), source), volume);
  const moved = await moveForGood(
    { volumes: [move] },
    {
      stop: () => {
        appendFileSync(path.join(source, "app.log"), "two\n");
        rmSync(path.join(source, "-rf"));
        mkdirSync(path.join(source, "-rf"));
        return Promise.resolve();
      },
      start: nothing,
      engine,
      replicas: { web: 1 },
      label,
    },
  );
  expect(difference(source, live)).toBe("");
  expect(told).toEqual([0, 1]);
  const kept = path.join(services, `web.before-${label}`);
  expect(moved.volumes).toMatchObject([{ service: "web", files: 6, kept }]);
  expect(readFileSync(path.join(kept, "made by the image"), "utf8")).toBe("x");
  expect(existsSync(volume.copy.path)).toBe(false);
});

test("a rehearsal says how long it takes, and leaves both sides as they were", async () => {
  const source = upload();
  const before = execFileSync("sh", ["-c", "find . -printf '%p %T@ %C@\\n' | sort | md5sum"], {
    cwd: source,
  }).toString();
  const { volume, services, live } = serviceVolume();
  writeFileSync(path.join(live, "made by the image"), "x");
  const move = new VolumeMove(new Directory(oldServer(), source), volume);
  const moved = await rehearse({ volumes: [move] });
  expect(moved.volumes).toMatchObject([{ files: 6, changed: 0 }]);
  expect(moved.volumes[0]?.bytesPerSecond).toBeGreaterThan(0);
  expect(
    execFileSync("sh", ["-c", "find . -printf '%p %T@ %C@\\n' | sort | md5sum"], {
      cwd: source,
    }).toString(),
  ).toBe(before);
  expect(spawnSync("ls", ["-A", services, live], { encoding: "utf8" }).stdout).toBe(
    `${services}:\nweb\n\n${live}:\nmade by the image\n`,
  );
});

test("a pass that is cut off is gone on with: what is there is not sent again", async () => {
  const source = fresh("volume");
  for (let n = 0; n < 40; n += 1)
    writeFileSync(path.join(source, `${n}`), Buffer.alloc(1_000_000, n));
  const to = new Directory(Host.local(), path.join(dir, "cut"));
  const stop = new AbortController();
  const cut = new FileMove(new Directory(oldServer(stop.signal), source), to, (_, bytes) => {
    if (bytes > 8_000_000) stop.abort(new Error("Ctrl-C"));
  });
  await expect(cut.pass(true)).rejects.toThrow("Ctrl-C");
  const again = new FileMove(new Directory(oldServer(), source), to);
  const { sentFiles, files } = await again.pass(true);
  expect(files).toBe(40);
  expect(sentFiles).toBeLessThan(40);
  expect((await again.finish()).different).toEqual([]);
  expect(difference(source, to.path)).toBe("");
});

test("a copy that looks the same and is not is found by its sum, and mended", async () => {
  const source = fresh("volume");
  writeFileSync(path.join(source, "data"), "right");
  const to = new Directory(Host.local(), path.join(dir, "mended"));
  await new FileMove(new Directory(Host.local(), source), to).pass(true);
  const { mtimeMs } = statSync(path.join(to.path, "data"));
  writeFileSync(path.join(to.path, "data"), "wrong");
  spawnSync("touch", ["-r", path.join(source, "data"), path.join(to.path, "data")]);
  expect(lstatSync(path.join(to.path, "data")).mtimeMs).toBe(mtimeMs);
  await new FileMove(new Directory(Host.local(), source), to).finish();
  expect(readFileSync(path.join(to.path, "data"), "utf8")).toBe("right");
});

test("when something fails after the app was stopped, it is started again and the stack keeps what it had", async () => {
  const source = upload();
  const { volume, live } = serviceVolume();
  const { engine } = swarm();
  let runs = true;
  const move = new VolumeMove(new Directory(oldServer(), source), volume);
  const failing = { ...engine, tasks: () => Promise.reject(new Error("the node is gone")) };
  const moving = moveForGood(
    { volumes: [move] },
    {
      stop: () => Promise.resolve(void (runs = false)),
      start: () => Promise.resolve(void (runs = true)),
      engine: failing,
      replicas: { web: 1 },
      label,
    },
  );
  await expect(moving).rejects.toThrow("the node is gone");
  expect(runs).toBe(true);
  expect(existsSync(path.join(live, "app.log"))).toBe(false);
});

test("a server that shows another host key is not talked to", async () => {
  const other = path.join(servers.root, "other");
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", other]);
  const hostKey = readFileSync(`${other}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
  const host = Host.ssh(`${userInfo().username}@127.0.0.1`, { ...login(), hostKey });
  await expect(host.output("true")).rejects.toThrow(/cannot be reached.*[Hh]ost key/s);
});

/** The old server's PostgreSQL, as it is reached through SSH. */
function postgres(database: string): DumpSource {
  const login = `PGHOST='${servers.data}/run' PGUSER=postgres PGDATABASE=${database}`;
  return {
    psql: localPsql(["-h", path.join(servers.data, "run"), "-U", "postgres", "-d", database]),
    dump: (words) => oldServer().start(`export ${login}; exec pg_dump "$@"`, ...words),
  };
}

const target = () => ({
  psql: (database: string) =>
    localPsql(["-h", "127.0.0.1", "-p", String(stack.port), "-U", "postgres", "-d", database]),
});

const OLD = `CREATE EXTENSION hstore; CREATE EXTENSION pg_stat_statements;
CREATE TABLE notes (id serial PRIMARY KEY, body text, at timestamptz DEFAULT now(), x float8 DEFAULT random(), tags hstore);
INSERT INTO notes (body, tags) SELECT repeat('x', n % 500) || E'\\\\\\n\\t' || n, 'a=>1' FROM generate_series(1, 5000) n;
CREATE VIEW newest AS SELECT * FROM notes ORDER BY at DESC;
CREATE MATERIALIZED VIEW counts AS SELECT count(*) FROM notes;
SELECT lo_from_bytea(0, 'a large object');`;

test("a database arrives with every row, is the app's, and the one before is kept", async () => {
  servers.sql("postgres", "CREATE DATABASE blog");
  servers.sql("blog", OLD);
  await stack.database("app");
  const before = stack.psql("app");
  await before.run("CREATE TABLE mine (id int); INSERT INTO mine VALUES (1);");
  await before.end();
  const move = PostgresMove.open(postgres("blog"), target(), "app");
  try {
    expect((await move.look()).faults).toEqual([]);
    const moved = await move.copy(() => undefined);
    expect(moved).toMatchObject({ tables: 1, rows: 5000 });
    expect(moved.bytes).toBeGreaterThan(1_000_000);
    const kept = await move.takePlace(label);
    const app = stack.psql("app");
    // Its own user may use and change everything.
    await app.run(
      "INSERT INTO notes (body) VALUES ('new'); ALTER TABLE notes ADD COLUMN more int;",
    );
    await app.run("REFRESH MATERIALIZED VIEW counts; ALTER EXTENSION hstore UPDATE;");
    expect(await app.run("SELECT count(*), max(id) FROM notes; SELECT count FROM counts;")).toEqual(
      ["5001|5001", "5001"],
    );
    expect(await app.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user;")).toBe(
      "f",
    );
    await app.end();
    const admin = stack.psql(kept, "postgres");
    await expect(admin.run("SELECT 1;")).rejects.toThrow(/not currently accepting/);
    const roles = stack.psql("postgres", "postgres");
    expect(await roles.run("SELECT rolname FROM pg_roles WHERE rolsuper;")).toEqual(["postgres"]);
    await roles.end();
  } finally {
    await move.close();
  }
}, 60_000);

test("a dump that breaks off, or rows that are not the same, leave the stack's database alone", async () => {
  servers.sql("postgres", "CREATE DATABASE shop");
  servers.sql(
    "shop",
    "CREATE TABLE one (t text); INSERT INTO one SELECT repeat('y', 1000) FROM generate_series(1, 2000)",
  );
  await stack.database("shop");
  const source = postgres("shop");
  const broken: DumpSource = {
    ...source,
    dump: (words) =>
      oldServer().start(
        `export PGHOST='${servers.data}/run' PGUSER=postgres PGDATABASE=shop; pg_dump "$@" | head -c 500000; echo the disk is broken >&2; exit 1`,
        ...words,
      ),
  };
  const other: DumpSource = {
    ...source,
    dump: (words) =>
      oldServer().start(
        `export PGHOST='${servers.data}/run' PGUSER=postgres PGDATABASE=shop; pg_dump "$@" | sed s/yyyyy/zzzzz/`,
        ...words,
      ),
  };
  for (const [bad, why] of [
    [broken, /the disk is broken/],
    [other, /public.one has 2000 rows, of which some are not the same/],
  ] as const) {
    const move = PostgresMove.open(bad, target(), "shop");
    await expect(move.copy(() => undefined)).rejects.toThrow(why);
    await move.close();
  }
  const admin = stack.psql("postgres", "postgres");
  const left =
    "SELECT datname FROM pg_database WHERE datname ~ 'adopt' UNION SELECT rolname FROM pg_roles WHERE rolname ~ 'adopt';";
  expect(await admin.run(left)).toEqual([]);
  await admin.end();
}, 60_000);

test("tables of a SQLite file are looked at before anything stops, rehearsed, and moved; what is in the way is named", async () => {
  const at = fresh("tables");
  const file = path.join(at, "app.db");
  spawnSync("sqlite3", [file], {
    input:
      "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO notes (text) VALUES ('ü'), ('b'); CREATE TABLE empty (id INTEGER);",
  });
  await stack.database("tables");
  const where = ["-h", "127.0.0.1", "-p", String(stack.port), "-U", "tables", "-d", "tables"];
  const move = new SqliteMove(oldServer(), file, localPsql(where), { database: "tables" });
  const notes = [`${file}: empty has no primary key`];
  expect(await move.look()).toEqual({ file, tables: 2, rows: 2, faults: [], notes });
  expect(await move.move(true)).toMatchObject({ tables: 2, rows: 2 });
  expect(await move.move(false)).toMatchObject({ tables: 2, rows: 2 });
  const app = stack.psql("tables");
  expect(await app.run("SELECT text FROM notes ORDER BY id;")).toEqual(["ü", "b"]);
  await app.end();
  const { faults } = await move.look();
  expect(faults[0]).toContain("app.db: notes is in the target already, with 2 rows: --replace");
});

test("a SQLite file that an app writes to comes over whole", async () => {
  const at = fresh("sqlite");
  const file = path.join(at, "app 'live'.db");
  spawnSync("sqlite3", [file], {
    input: "PRAGMA journal_mode=WAL; CREATE TABLE t (n); INSERT INTO t VALUES (1), (2);",
  });
  const copy = await fetchSqlite(oldServer(), file, fresh("here"));
  const { stdout } = spawnSync("sqlite3", [copy, "SELECT sum(n) FROM t; PRAGMA integrity_check;"], {
    encoding: "utf8",
  });
  expect(stdout).toBe("3\nok\n");
});

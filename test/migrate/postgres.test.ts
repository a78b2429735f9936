import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { drift, preflight } from "../../scripts/migrate/postgres/preflight";
import { copyOnce, copyScript } from "../../scripts/migrate/postgres/snapshot";
import { closeSide, openSide, type Side } from "../../scripts/migrate/postgres/side";
import { ChangeStream } from "../../scripts/migrate/postgres/stream";
import { type Poolers, switchOver } from "../../scripts/migrate/postgres/switch";
import { eventually } from "../unit/examples/harness";
import { Pooler } from "./pooler";
import { localPsql, PostgresServer } from "./servers";
import { SESSION_ENDED, Writer } from "./writer";

let container: PostgresServer;
let managed: PostgresServer;

beforeAll(async () => {
  [container, managed] = await Promise.all([PostgresServer.start(), PostgresServer.start()]);
  const admin = managed.psql("postgres", "postgres");
  // DigitalOcean's administrator is no superuser.
  await admin.run(
    `CREATE ROLE doadmin LOGIN CREATEDB CREATEROLE REPLICATION; GRANT pg_monitor, pg_signal_backend TO doadmin;`,
  );
  await admin.end();
}, 60_000);
afterAll(() => {
  container.stop();
  managed.stop();
});

const SCHEMA = `
CREATE TYPE mood AS ENUM ('well', 'ill');
CREATE TABLE writes (id uuid PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE odd ("Key One" text, two int, value text, data bytea, m mood, tags text[], j jsonb, twice int GENERATED ALWAYS AS (two * 2) STORED, PRIMARY KEY ("Key One", two));
CREATE TABLE child (id serial PRIMARY KEY, one text, two int, FOREIGN KEY (one, two) REFERENCES odd ON UPDATE CASCADE);
CREATE TABLE audit (id serial PRIMARY KEY, what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit (what) VALUES (TG_OP); RETURN NULL; END';
CREATE TRIGGER note AFTER INSERT OR UPDATE ON odd FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE parts (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
INSERT INTO odd VALUES ('a''b\\c', 1, repeat('x', 100000), '\\x00ff', 'well', '{a,"b c"}', '{"a": 1}');
INSERT INTO parts VALUES (1, 'eu');`;

class Ground {
  constructor(
    readonly database: string,
    readonly source: Side,
    readonly target: Side,
  ) {}

  static async make(database: string): Promise<Ground> {
    await container.database(database);
    const admin = managed.psql("postgres", "doadmin");
    await admin.run(`CREATE ROLE ${database} LOGIN;`);
    await admin.run(`CREATE DATABASE ${database};`);
    await admin.end();
    const own = managed.psql(database, "doadmin");
    await own.run(`GRANT ALL ON DATABASE ${database} TO ${database};`);
    await own.end();
    const root = managed.psql(database, "postgres");
    await root.run(`GRANT ALL ON SCHEMA public TO ${database};`);
    await root.end();
    const seed = container.psql(database);
    await seed.run(SCHEMA);
    await seed.end();
    return new Ground(
      database,
      await openSide(() => container.psql(database, "postgres"), database),
      await openSide(() => managed.psql(database, "doadmin"), database),
    );
  }

  async copy(): Promise<"copied" | "was there"> {
    const { database, source, target } = this;
    const replication = localPsql([
      `host=127.0.0.1 port=${container.port} user=postgres dbname=${database} replication=database`,
    ]);
    return copyOnce(database, source, target, replication, async (job) => {
      const script = copyScript(job, {
        dump: `-h 127.0.0.1 -p ${container.port} -U postgres -d ${database}`,
        restore: `-h 127.0.0.1 -p ${managed.port} -U doadmin -d ${database}`,
        role: database,
      });
      const child = spawn("sh", ["-euc", script], { stdio: ["ignore", "ignore", "pipe"] });
      let stderr = "";
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      const code = await new Promise((resolve) => child.once("close", resolve));
      if (code !== 0) throw new Error(stderr);
    });
  }

  stream = () => new ChangeStream(this.source, this.target);
  back = () => new ChangeStream(this.target, this.source);
  close = () => Promise.all([closeSide(this.source), closeSide(this.target)]);
}

const idsOf = async (side: Side) => new Set(await side.owner.run("SELECT id FROM writes;"));

test("everything that tables can have follows: keys that change, large values, generated columns, partitions, TRUNCATE", async () => {
  const ground = await Ground.make("kinds");
  try {
    expect(await ground.copy()).toBe("copied");
    expect(await ground.copy()).toBe("was there");
    const app = container.psql("kinds");
    await app.run(`
      UPDATE odd SET m = 'ill', two = 2;
      INSERT INTO odd VALUES ('n', 3, NULL, NULL, NULL, '{}', 'null');
      INSERT INTO child (one, two) VALUES ('n', 3);
      UPDATE odd SET "Key One" = 'moved' WHERE two = 3;
      BEGIN; INSERT INTO writes (id) VALUES (gen_random_uuid()); UPDATE writes SET at = '2024-01-01'; COMMIT;
      BEGIN; INSERT INTO writes (id) VALUES (gen_random_uuid()); ROLLBACK;
      INSERT INTO parts VALUES (2, 'eu'); DELETE FROM parts WHERE id = 1;
      CREATE TABLE gone (id int PRIMARY KEY); DROP TABLE gone;
      INSERT INTO audit (what) VALUES ('before'); TRUNCATE audit; INSERT INTO audit (what) VALUES ('after');`);
    expect(await app.run("SELECT repeat('ü', 199999);")).toEqual(["ü".repeat(199_999)]);
    await app.end();
    await ground.stream().drain();
    for (const query of [
      `SELECT * FROM odd ORDER BY two;`,
      "SELECT * FROM child ORDER BY id;",
      "SELECT * FROM writes ORDER BY id;",
      "SELECT * FROM parts ORDER BY id;",
      "SELECT * FROM audit ORDER BY id;",
    ]) {
      expect(await ground.target.owner.run(query)).toEqual(await ground.source.owner.run(query));
    }
    // The target's own user is kept out until the switch.
    await expect(managed.psql("kinds").run("SELECT 1;")).rejects.toThrow("not permitted to log in");
  } finally {
    await ground.close();
  }
});

test("a switch under load, and the way back, lose no acknowledged row", async () => {
  const ground = await Ground.make("busy");
  const pooler = await Pooler.start("busy", container, managed);
  const { source, target } = ground;
  try {
    const writer = new Writer(pooler.pool());
    await eventually(() => expect(writer.acknowledged.length).toBeGreaterThan(20));
    await ground.copy();
    const there = await switchOver([{ source, target, stream: ground.stream() }], pooler.poolers());
    const count = writer.acknowledged.length;
    await eventually(() => expect(writer.acknowledged.length).toBeGreaterThan(count + 20));
    const onTarget = await idsOf(target);
    expect(writer.acknowledged.slice(0, count).filter((id) => !onTarget.has(id))).toEqual([]);
    // Whoever did not hear of the switch cannot write to the old one.
    await expect(container.psql("busy").run("SELECT 1;")).rejects.toThrow(
      "not permitted to log in",
    );

    // Somebody who was cut off in the middle of a switch left the pooler waiting.
    const left = pooler.poolers();
    await left.open();
    await left.pause();
    const back = await switchOver(
      [{ source: target, target: source, stream: ground.back() }],
      pooler.poolers(),
    );
    await left.resume();
    const again = writer.acknowledged.length;
    await eventually(() => expect(writer.acknowledged.length).toBeGreaterThan(again + 20));
    await writer.stop();
    const onSource = await idsOf(source);
    expect(writer.acknowledged.filter((id) => !onSource.has(id))).toEqual([]);
    // Numbers go on where they were: no two rows got the same.
    expect(await source.owner.run("SELECT n FROM writes GROUP BY n HAVING count(*) > 1;")).toEqual(
      [],
    );
    // What failed was not acknowledged, and only because its session was ended.
    expect(writer.errors.filter((one) => !SESSION_ENDED.includes(one))).toEqual([]);
    expect([there.cut, back.cut]).toEqual([0, 0]);
  } finally {
    pooler.stop();
    await ground.close();
  }
}, 180_000);

test("an app that asks again when its session was ended hears nothing of switches", async () => {
  const ground = await Ground.make("again");
  const pooler = await Pooler.start("again", container, managed);
  const { source, target } = ground;
  const log = jest.spyOn(console, "error").mockImplementation(() => undefined);
  try {
    const pool = pooler.askingAgain();
    const insert = "INSERT INTO writes (id) VALUES (gen_random_uuid()) RETURNING id";
    const asks = [
      () => pool.read<{ id: string }>("SELECT id FROM writes LIMIT 1"),
      () => pool.query<{ id: string }>(insert),
      () => pool.transaction((client) => client.query<{ id: string }>(insert)),
    ];
    let going = true;
    const asking = Promise.all(
      [...asks, ...asks, ...asks].map(async (ask) => {
        let count = 0;
        for (; going; count++) {
          await ask();
          await delay(Math.random() * 10);
        }
        return count;
      }),
    );
    asking.catch(() => undefined);
    await ground.copy();
    for (let number = 0; number < 4; number++) {
      await delay(200);
      await switchOver([{ source, target, stream: ground.stream() }], pooler.poolers());
      await delay(200);
      await switchOver(
        [{ source: target, target: source, stream: ground.back() }],
        pooler.poolers(),
      );
    }
    going = false;
    expect(Math.min(...(await asking))).toBeGreaterThan(20);
    await pool.end();
  } finally {
    log.mockRestore();
    pooler.stop();
    await ground.close();
  }
}, 180_000);

test("a transaction may have any number of changes", async () => {
  const COUNT = 200_000;
  const hex = (...parts: readonly (string | Buffer)[]) =>
    `\\x${Buffer.concat(parts.map((part) => Buffer.from(part as string))).toString("hex")}`;
  const relation = Buffer.from("00000007", "hex");
  const lines = [
    hex("B", Buffer.alloc(20)),
    // public.t with one column, `id integer`, which is its key.
    hex("R", relation, "public\0t\0d", Buffer.from("000101", "hex"), "id\0", Buffer.alloc(8)),
    ...Array<string>(COUNT).fill(
      hex("I", relation, "N", Buffer.from("000174", "hex"), Buffer.from("00000001", "hex"), "1"),
    ),
    hex("C", Buffer.alloc(9), Buffer.from("0000000000000010", "hex"), Buffer.alloc(8)),
  ];
  let inserts = 0;
  const target = {
    run: (sql: string) => target.write(sql).then(() => []),
    value: () => Promise.resolve("0/0"),
    write: (sql: string) => {
      inserts += sql.split('INSERT INTO "public"').length - 1;
      return Promise.resolve();
    },
  };
  const source = {
    run: (sql: string) => Promise.resolve(sql.includes("FETCH") ? lines.splice(0, 500) : []),
    value: () => Promise.resolve("0"),
  };
  const sideOf = (session: object) => ({ admin: session, owner: session }) as unknown as Side;
  await new ChangeStream(sideOf(source), sideOf(target)).catchUp();
  expect(inserts).toBe(COUNT);
});

test("an app that writes more than can be carried over is left where it is, and its operator told so", async () => {
  // A message of the protocol that has no effect, as many times as are read at once.
  let fetched = 0;
  const lines = () => Array.from({ length: ++fetched % 11 === 0 ? 0 : 500 }, () => "\\x4f");
  const say = {
    run: (sql: string) => Promise.resolve(sql.includes("FETCH") ? lines() : []),
    value: () => Promise.resolve("3145728"),
  };
  const side = { admin: say, owner: say } as unknown as Side;
  await expect(new ChangeStream(side, side).catchUp({ patienceMs: 5 })).rejects.toThrow(
    "stays 3.0 MiB of the log behind. The app goes on where it is.",
  );
});

test("a copy that is cut off leaves the target empty, and a switch that fails lets the app go on where it was", async () => {
  const ground = await Ground.make("cut");
  const { source, target } = ground;
  try {
    await target.admin.run("SELECT 1;");
    const half = copyOnce(
      "cut",
      source,
      target,
      localPsql([
        `host=127.0.0.1 port=${container.port} user=postgres dbname=cut replication=database`,
      ]),
      () => Promise.reject(new Error("cut off")),
    );
    await expect(half).rejects.toThrow("cut off");
    expect(await ground.copy()).toBe("copied");
    const stream = ground.stream();
    const failing = {
      catchUp: jest.fn().mockResolvedValue(undefined),
      drain: jest.fn().mockRejectedValue(new Error("target lost")),
    } as unknown as ChangeStream;
    const resume = jest.fn().mockResolvedValue(undefined);
    const poolers: Poolers = {
      open: () => Promise.resolve(),
      pause: () => Promise.resolve({ empty: Promise.resolve() }),
      resume: () => resume() as Promise<void>,
    };
    await expect(switchOver([{ source, target, stream: failing }], poolers)).rejects.toThrow(
      "target lost",
    );
    const app = container.psql("cut");
    await app.run("INSERT INTO writes (id) VALUES (gen_random_uuid());");
    await app.end();
    expect(resume).toHaveBeenCalled();
    await stream.drain();
    expect((await idsOf(target)).size).toBe(1);
  } finally {
    await ground.close();
  }
});

test("what replication cannot carry is named before anything is changed", async () => {
  const ground = await Ground.make("named");
  const { source, target } = ground;
  try {
    const app = container.psql("named");
    await app.run(`
      CREATE TABLE keyless (a int); CREATE UNLOGGED TABLE cached (id int PRIMARY KEY);
      CREATE TABLE whole (id int PRIMARY KEY); ALTER TABLE whole REPLICA IDENTITY FULL;
      SELECT lo_create(0); ALTER TABLE odd DISABLE TRIGGER note;`);
    await app.end();
    const theirs = managed.psql("named", "postgres");
    await theirs.run("CREATE TABLE somebodys (id int PRIMARY KEY) PARTITION BY LIST (id);");
    await theirs.end();
    const { faults } = await preflight(source, target);
    expect(faults.map(({ at, says }) => `${at} ${says.split(":")[0]}`)).toEqual([
      "named must be empty on the target, and has public.somebodys",
      "public.keyless has no primary key",
      "public.whole has another REPLICA IDENTITY than its key",
      "public.cached is unlogged, so that its changes are not told",
      "large objects are not told of by replication",
      "public.odd has triggers that are disabled, or fire for replication too",
    ]);
    expect(await drift(source, target)).toContain("public.audit.id integer NOT NULL");
  } finally {
    await ground.close();
  }
});

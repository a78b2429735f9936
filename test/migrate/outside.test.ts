import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { migrate, type PostgresOptions } from "../../scripts/migrate/postgres";
import { OutsideServer } from "../../scripts/migrate/postgres/outside";
import { type ContainerServers, withOutside } from "../../scripts/migrate/postgres/route";
import { openSide } from "../../scripts/migrate/postgres/side";
import { eventually } from "../unit/examples/harness";
import { localPsql, olderPostgresBin, PostgresServer } from "./servers";
import { Writer } from "./writer";

let outside: PostgresServer;
let container: PostgresServer;
const dir = mkdtempSync(join(tmpdir(), "migrate-outside-"));

beforeAll(async () => {
  [outside, container] = await Promise.all([
    PostgresServer.start(olderPostgresBin()),
    PostgresServer.start(),
  ]);
  await outside.database("Old-Shop");
  await container.database("app");
  const file = join(dir, "services");
  const lines = ["host=127.0.0.1", `port=${outside.port}`, "user=postgres", "dbname=Old-Shop"];
  writeFileSync(file, ["[shop]", ...lines, ""].join("\n"));
  process.env.PGSERVICEFILE = file;
}, 60_000);
afterAll(() => {
  delete process.env.PGSERVICEFILE;
  outside.stop();
  container.stop();
  rmSync(dir, { recursive: true, force: true });
});

const SCHEMA = `
CREATE TYPE mood AS ENUM ('well', 'ill');
CREATE TABLE writes (id uuid PRIMARY KEY, n serial, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood, body text DEFAULT 'a''b', data bytea);
INSERT INTO notes (m, body, data) VALUES ('well', E'tab\\tand \\\\. alone', '\\x00ff');
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO notes (body) VALUES (TG_OP); RETURN NULL; END';
CREATE TRIGGER note AFTER TRUNCATE ON writes EXECUTE FUNCTION note();`;

/** The container as the operator's command reaches it in a stack. */
const stack: ContainerServers = {
  databases: ["app"],
  side: () => openSide(() => container.psql("app", "postgres"), "app"),
  session: () => container.session("app", "postgres"),
  replication: () =>
    localPsql([
      `host=127.0.0.1 port=${container.port} user=postgres dbname=app replication=database`,
    ]),
};

const there = { from: "service:shop", to: "web", database: "app", json: true };
const back = { ...there, from: "web", to: "service:shop" };

async function run(options: PostgresOptions) {
  const named = OutsideServer.parse("service:shop") ?? { label: "", conninfo: "" };
  const isSource = options.from === named.label;
  const route = withOutside(stack, await OutsideServer.find(named), { database: "app", isSource });
  return migrate(route, options);
}

const poolOf = (server: PostgresServer, database: string) =>
  new Pool({ host: "127.0.0.1", port: server.port, user: database, database, max: 3 });

async function ask(server: PostgresServer, database: string, sql: string): Promise<string[]> {
  const psql = server.psql(database, "postgres");
  try {
    return await psql.run(sql);
  } finally {
    await psql.end();
  }
}

test("an older server outside is followed under load, switched from once its app is stopped, and gone back to without losing a row", async () => {
  const seed = outside.psql("Old-Shop");
  await seed.run(SCHEMA);
  await seed.end();
  const writer = new Writer(poolOf(outside, "Old-Shop"));
  await eventually(() => expect(writer.acknowledged.length).toBeGreaterThan(20));
  const somebody = container.psql("app", "postgres");
  await somebody.run("SELECT pg_advisory_lock(7236515);");
  await expect(run({ ...there, dryRun: true })).rejects.toThrow("Another migration");
  await somebody.end();
  expect(await run({ ...there, dryRun: true })).toMatchObject({ outcome: "planned", faults: [] });
  expect(await run(there)).toMatchObject({ outcome: "copied" });
  await expect(container.psql("app").run("SELECT 1;")).rejects.toThrow("not permitted to log in");

  // Its app still writes: nothing is switched, and it goes on.
  await expect(run({ ...there, switch: true })).rejects.toThrow(/still connected.*Stop it/s);
  const count = writer.acknowledged.length;
  await eventually(() => expect(writer.acknowledged.length).toBeGreaterThan(count + 20));
  await writer.stop();
  expect(writer.errors).toEqual([]);
  expect(await run({ ...there, switch: true })).toMatchObject({ outcome: "moved", cut: 0 });
  expect(await run(there)).toMatchObject({ outcome: "was there" });
  const ids = new Set(await ask(container, "app", "SELECT id FROM writes;"));
  expect(writer.acknowledged.filter((id) => !ids.has(id))).toEqual([]);
  for (const table of ["notes", "writes"]) {
    const query = `SELECT * FROM ${table} ORDER BY id;`;
    expect(await ask(container, "app", query)).toEqual(await ask(outside, "Old-Shop", query));
  }
  await expect(outside.psql("Old-Shop").run("DELETE FROM writes;")).rejects.toThrow("read-only");

  const app = container.psql("app");
  await app.run("INSERT INTO notes (body) VALUES ('new'); UPDATE notes SET m = 'ill';");
  await app.end();
  expect(await run({ ...back, switch: true })).toMatchObject({ outcome: "moved" });
  const notes = "SELECT * FROM notes ORDER BY id;";
  expect(await ask(outside, "Old-Shop", notes)).toEqual(await ask(container, "app", notes));
  const old = outside.psql("Old-Shop");
  await old.run("INSERT INTO notes (body) VALUES ('and on');");
  await old.end();
  await expect(container.psql("app").run("SELECT 1;")).rejects.toThrow("not permitted to log in");

  expect(await run({ ...there, end: true })).toMatchObject({ outcome: "ended" });
  for (const server of [outside, container]) {
    const slots = await ask(server, "postgres", "SELECT slot_name FROM pg_replication_slots;");
    expect(slots).toEqual([]);
  }
}, 60_000);

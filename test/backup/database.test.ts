import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { newAgeKey } from "../../components/backup/age-key";
import { backUp } from "../../components/backup/agent/backup";
import { backupsIn, prune, readManifest } from "../../components/backup/agent/catalogue";
import type { Context } from "../../components/backup/agent/context";
import type { Manifest } from "../../components/backup/agent/manifest";
import { restoreDatabases, type RestoreRequest } from "../../components/backup/agent/restore";
import { keys, missing, Servers } from "./servers";

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED backups of databases: not installed: ${absent.join(", ")}`);

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

(absent.length > 0 ? describe.skip : describe)("a database's backups", () => {
  let servers: Servers;
  let id: string;

  beforeAll(async () => {
    servers = await new Servers().start();
    servers.sql(
      "app",
      `SET ROLE app; CREATE TABLE notes (id serial PRIMARY KEY, text text NOT NULL, at timestamptz DEFAULT now(), raw bytea);
       INSERT INTO notes (text, raw) SELECT 'note ' || i, decode(md5(i::text), 'hex') FROM generate_series(1, 20000) i;
       CREATE TABLE empty (id int); CREATE SCHEMA "Odd Name"; CREATE TABLE "Odd Name"."t""x" AS SELECT 1.5::float8 AS f`,
    );
    id = (await servers.agent(backUp)).result.id;
  });
  afterAll(() => servers.stop());

  const server = () => servers.settings().server!;
  const restore = (request: Partial<RestoreRequest> = {}, settings = servers.settings()) =>
    servers.agent(
      (context) =>
        restoreDatabases(context, server(), id, {
          identity: keys.identity,
          from: "first",
          dryRun: false,
          ...request,
        }),
      settings,
    );
  const refused = (request: Partial<RestoreRequest>) =>
    restore(request).then(
      () => "",
      (error: Error) => error.message,
    );
  const file = (root: string) => path.join(root, "backups", id, "database-app.dump.zst.age");

  test("a backup is in both places, read back, and says what every table held", async () => {
    const { result } = await servers.agent(async ({ stores }) =>
      Promise.all(stores.map((store) => readManifest(store, id))),
    );
    for (const { parts } of result) {
      expect(parts).toHaveLength(1);
      expect(parts[0]?.tables).toMatchObject({
        "public.notes": { rows: 20000 },
        "public.empty": { rows: 0, sum: "hash64:0" },
        '"Odd Name"."t""x"': { rows: 1 },
      });
    }
    expect(result[0]?.parts).toEqual(result[1]?.parts);
    const stored = readFileSync(file(servers.objects));
    expect(stored.equals(readFileSync(file(servers.copies)))).toBe(true);
    expect(stored.subarray(0, 21).toString()).toBe("age-encryption.org/v1");
    expect(stored.length).toBe(result[0]?.parts[0]?.bytes);
  });

  test("a restored database is a new one with the same rows, or takes the old one's place, which stays under a dated name", async () => {
    servers.sql("app", "DELETE FROM notes WHERE id % 2 = 0");
    await restore({ database: "app", into: "app_copy" });
    expect(servers.sql("app_copy", "SELECT count(*) FROM notes")).toBe("20000");
    expect(servers.sql("app", "SELECT count(*) FROM notes")).toBe("10000");
    expect(await refused({ database: "app", into: "app_copy" })).toContain(
      "there is a database app_copy already",
    );

    const { result } = await restore({ from: "second" });
    const [old = ""] = result.kept as string[];
    expect(old).toMatch(/^app_before_\d{8}t\d{6}z$/);
    expect(
      servers.sql(
        "app",
        "SELECT count(*), max(tableowner) FROM notes, pg_tables WHERE tablename = 'notes'",
      ),
    ).toBe("20000|app");
    expect(servers.sql(old, "SELECT count(*) FROM notes")).toBe("10000");
    expect(
      servers.sql("app", "SET ROLE app; INSERT INTO notes (text) VALUES ('next') RETURNING id"),
    ).toBe("20001");
    expect(result).toMatchObject({ databases: ["app"], rows: 20001 });
    expect(servers.databases()).toEqual(["app", "app_copy", old, "own", "postgres"].sort());
    servers.sql("postgres", `DROP DATABASE "${old}"`);
    servers.sql("postgres", "DROP DATABASE app_copy");
  });

  test("a backup of an earlier version, with sums by MD5, is verified by them", async () => {
    const manifest = path.join(servers.objects, "backups", id, "manifest.json");
    const today = readFileSync(manifest, "utf8");
    const sum = servers.sql(
      "app",
      'SELECT sum((\'x\' || left(md5(e::text), 15))::bit(60)::bigint) FROM "Odd Name"."t""x" e',
    );
    const earlier = (text: string) => {
      const { parts, ...rest } = JSON.parse(today) as Manifest;
      const [part] = parts;
      const tables = {
        "public.empty": { rows: 0, sum: "0" },
        '"Odd Name"."t""x"': { rows: 1, sum: text },
      };
      const all = { ...part?.tables, ...tables };
      writeFileSync(manifest, JSON.stringify({ ...rest, parts: [{ ...part, tables: all }] }));
    };
    earlier(sum);
    await restore({ database: "app", into: "of_before" });
    servers.sql("postgres", "DROP DATABASE of_before");
    earlier(`${BigInt(sum) + 1n}`);
    expect(await refused({ database: "app", into: "of_before" })).toContain(
      '"Odd Name"."t""x" has 1 rows, but other contents',
    );
    writeFileSync(manifest, today);
  });

  test("with another key nothing is touched, and the error says which key it wants", async () => {
    const other = newAgeKey();
    expect(await refused({ identity: other.identity })).toBe(
      `wrong key: backup ${id} was encrypted to ${keys.recipient}, and this identity opens what is encrypted to ${other.recipient}`,
    );
    const mistyped = keys.identity.slice(0, -1) + (keys.identity.endsWith("Q") ? "P" : "Q");
    expect(await refused({ identity: mistyped })).toContain("mistyped");
  });

  test("a damaged, a short and a missing copy are noticed, nothing of them stays, and the other place restores", async () => {
    const before = servers.databases();
    const good = readFileSync(file(servers.objects));
    const bad = Buffer.from(good);
    bad[good.length >> 1]! ^= 1;
    writeFileSync(file(servers.objects), bad);
    expect(await refused({})).toContain("cannot be restored from the first place");
    truncateSync(file(servers.objects), good.length - 100);
    expect(await refused({})).toMatch(
      /has \d+ bytes, not \d+ in the first place; try --from second/,
    );
    rmSync(file(servers.objects));
    expect(await refused({})).toContain("is missing in the first place; try --from second");
    expect(servers.databases()).toEqual(before);
    const { result } = await restore({ from: "second", database: "app", into: "app_again" });
    expect(result).toMatchObject({ rows: 20001 });
    servers.sql("postgres", "DROP DATABASE app_again");
    writeFileSync(file(servers.objects), good);
  });

  test("a place that is away gets no manifest; the other one does, and the run fails", async () => {
    const settings = servers.settings();
    const away = {
      ...settings,
      places: { ...settings.places, second: { ...servers.sftp, port: 1 } },
    };
    const failed = await servers.agent(backUp, away).catch((error: Error) => error.message);
    expect(failed).toMatch(/^not every place has backup .*; second place: /);
    const { result } = await servers.agent(async ({ stores }) =>
      Promise.all(stores.map(async (store) => (await backupsIn(store)).size)),
    );
    expect(result).toEqual([2, 1]);
  });

  test("what an interrupted restore left is done again, and what it had verified is not", async () => {
    const beside = `app_restore_${id.toLowerCase()}`;
    servers.sql("postgres", `CREATE DATABASE ${beside}`);
    const { told } = await restore();
    expect(
      told.some((event) => event.event === "begins" && event.what.startsWith("database app ←")),
    ).toBe(true);
    const kept = servers.databases().find((name) => name.startsWith("app_before_"))!;
    servers.sql(
      "postgres",
      `ALTER DATABASE app RENAME TO ${beside}; ALTER DATABASE ${kept} RENAME TO app`,
    );
    const again = await restore();
    expect(again.told).toContainEqual({
      event: "note",
      text: `${beside} is there from an earlier attempt, and verified`,
    });
  });

  test("old backups go, leftovers of killed ones too, and the newest stays", async () => {
    const dir = path.join(servers.objects, "backups");
    const [old, left] = ["20200101T000000Z", "20200102T000000Z"];
    cpSync(path.join(dir, id), path.join(dir, old), { recursive: true });
    cpSync(path.join(dir, id), path.join(dir, left), { recursive: true });
    rmSync(path.join(dir, left, "manifest.json"));
    const { result } = await servers.agent(
      (context) => prune(context, context.stores[0]!),
      servers.settings({ keep: { days: 1, weeks: 0, months: 0 } }),
    );
    expect([...result.gone].sort()).toEqual([old, left]);
    expect(readdirSync(dir)).toContain(id);
    expect(readdirSync(dir)).not.toContain(old);
  });

  test("what the first place spoils is noticed before it counts, and the second one has the backup all the same", async () => {
    const dir = path.join(servers.objects, "backups");
    let spoilt = "";
    const spoiling = (context: Context) =>
      backUp({
        ...context,
        tell: (event) => {
          context.tell(event);
          if (event.event !== "begins" || event.what !== "database app → second place") return;
          spoilt = readdirSync(dir).sort().at(-1)!;
          const stored = path.join(dir, spoilt, "database-app.dump.zst.age");
          const bytes = readFileSync(stored);
          bytes[bytes.length >> 1]! ^= 1;
          writeFileSync(stored, bytes);
        },
      });
    await expect(servers.agent(spoiling)).rejects.toThrow(
      /^not every place has backup .*; first place: .* is not what was written/,
    );
    expect(existsSync(path.join(dir, spoilt, "manifest.json"))).toBe(false);
    id = spoilt;
    const { result } = await restore({ from: "second", database: "app", into: "app_unspoilt" });
    expect(result).toMatchObject({ rows: 20001 });
  });
});

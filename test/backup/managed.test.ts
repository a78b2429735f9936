import { spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { accessTo } from "../../components/backup/agent/access";
import { backUp } from "../../components/backup/agent/backup";
import { databasesOf } from "../../components/backup/agent/databases";
import type { Manifest } from "../../components/backup/agent/manifest";
import { restoreDatabases, type RestoreRequest } from "../../components/backup/agent/restore";
import type { ManagedServer } from "../../components/backup/settings";
import { makeAuthority } from "../../scripts/bench/throwaway-certificates";
import { serveManaged } from "./managed-server";
import { keys, missing, Servers } from "./servers";

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED backups of managed databases: not installed: ${absent.join(", ")}`);

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

(absent.length > 0 ? describe.skip : describe)("a managed database's backups", () => {
  let servers: Servers;
  let server: ManagedServer;
  let made: Manifest;
  let id: string;

  beforeAll(async () => {
    servers = await new Servers().start();
    server = await serveManaged(servers);
    servers.sql(
      "shop",
      `SET ROLE shop; CREATE TABLE notes (id serial PRIMARY KEY, text text); INSERT INTO notes (text) SELECT 'note ' || i FROM generate_series(1, 5000) i;
       CREATE TABLE guarded (owner text); INSERT INTO guarded VALUES ('a'), ('b'); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
       CREATE SCHEMA inner_rooms; CREATE TABLE inner_rooms.desks AS SELECT 1 AS n; GRANT SELECT ON notes TO reader;
       RESET ROLE; SET ROLE doadmin; CREATE EXTENSION pg_trgm; CREATE TABLE made_by_hand AS SELECT 2 AS n`,
    );
    servers.sql("postgres", "DROP DATABASE app");
    made = await backup();
    id = made.id;
  }, 60_000);
  afterAll(() => servers.stop());

  const backup = async (more: Partial<ManagedServer> = {}) =>
    (await servers.agent(backUp, servers.settings({ server: { ...server, ...more } }))).result;
  const restore = async (
    request: Partial<RestoreRequest> = {},
    more: Partial<ManagedServer> = {},
    backup = id,
  ) => {
    const of = { ...server, ...more };
    const asked = { identity: keys.identity, from: "first" as const, dryRun: false, ...request };
    const settings = servers.settings({ server: of });
    return (
      await servers.agent((context) => restoreDatabases(context, of, backup, asked), settings)
    ).result;
  };
  const count = (database: string, table: string) =>
    servers.sql(database, `SELECT count(*) FROM ${table}`);

  test("every database is saved with whoever's tables, those that nobody told of too, and an unused default one is not", () => {
    const { parts } = made;
    expect(parts.map(({ name }) => name)).toEqual(["shop", "own"]);
    expect(parts[0]?.tables).toMatchObject({
      "public.notes": { rows: 5000 },
      "public.guarded": { rows: 2 },
      "public.made_by_hand": { rows: 1 },
      "inner_rooms.desks": { rows: 1 },
    });
  });

  test("a server with a certificate of another authority is not talked to", async () => {
    const ca = makeAuthority(path.join(servers.root, "other.crt"));
    await expect(backup({ ca })).rejects.toThrow(/certificate verify failed/);
  });

  test("a restored database takes the other one's place while the app is connected, with its owners, grants and extensions", async () => {
    const app = spawn("psql", [
      "-XqAt",
      "-h",
      path.join(servers.data, "run"),
      "-p",
      String(server.port),
      "-U",
      "shop",
      "shop",
    ]);
    app.stdin.write("SELECT 1;\n");
    await once(app.stdout, "data");
    servers.sql("shop", "DELETE FROM notes WHERE id % 2 = 0");
    const result = await restore({ database: "shop" });
    app.stdin.end();
    const [old = ""] = result.kept as string[];
    expect(old).toMatch(/^shop_before_\d{8}t\d{6}z$/);
    expect(count("shop", "notes")).toBe("5000");
    expect(count(old, "notes")).toBe("2500");
    expect(
      servers.sql(
        "shop",
        "SELECT tablename || ' ' || tableowner FROM pg_tables WHERE schemaname IN ('public', 'inner_rooms') ORDER BY 1",
      ),
    ).toBe("desks shop\nguarded shop\nmade_by_hand doadmin\nnotes shop");
    expect(
      servers.sql(
        "shop",
        "SET ROLE shop; INSERT INTO notes (text) VALUES ('next') RETURNING id; CREATE TABLE later (n int)",
      ),
    ).toBe("5001");
    expect(servers.sql("shop", "SET ROLE reader; SELECT count(*) FROM notes")).toBe("5001");
    expect(
      servers.sql(
        "shop",
        "SELECT has_database_privilege('reader', 'shop', 'CONNECT'), has_database_privilege('own', 'shop', 'CONNECT'), has_database_privilege('shop', 'shop', 'CREATE')",
      ),
    ).toBe("t|f|t");
    expect(servers.sql("shop", "SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'")).toBe(
      "pg_trgm",
    );
    const saved = await servers.agent(({ secrets }) =>
      databasesOf(server, accessTo(server, secrets)),
    );
    expect(saved.result).toEqual(["shop", "own"]);
  });

  test("a database that is gone comes back as that of its role", async () => {
    servers.sql("postgres", "DROP DATABASE shop WITH (FORCE)");
    const result = await restore({ database: "shop", from: "second" });
    expect(result).toMatchObject({ databases: ["shop"], kept: [], rows: 5004 });
    expect(
      servers.sql("shop", "SET ROLE shop; INSERT INTO notes (text) VALUES ('next') RETURNING id"),
    ).toBe("5001");
    expect(servers.sql("shop", "SELECT has_database_privilege('own', 'shop', 'CONNECT')")).toBe(
      "f",
    );
  });

  test("what a disk has no room for is not begun", async () => {
    await expect(restore({}, { diskBytes: 2 ** 20 })).rejects.toThrow(
      /not enough room: .* 0\.00 GiB are free; raise archipelago:database\.size/,
    );
  });

  test("the administrator's own database is saved once it holds something, and comes back under another name only", async () => {
    servers.sql("defaultdb", "SET ROLE doadmin; CREATE TABLE kept_here AS SELECT 1 AS n");
    const later = await backup();
    expect(later.parts.map(({ name }) => name)).toContain("defaultdb");
    await expect(restore({ database: "defaultdb" }, {}, later.id)).rejects.toThrow(
      /keeps its name: --into/,
    );
    await restore({ database: "defaultdb", into: "default_again" }, {}, later.id);
    expect(count("default_again", "kept_here")).toBe("1");
    const { databases } = await restore({ dryRun: true }, {}, later.id);
    expect(databases).not.toContain("defaultdb");
  });
});

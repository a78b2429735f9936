import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { copyWal, missingWal, takeBase } from "../../components/backup/agent/base";
import { recoverDatabases } from "../../components/backup/agent/recover";
import type { ContainerServer } from "../../components/backup/settings";
import { keys, missing, Servers } from "./servers";

test("a hole in the archived log is found, and an end is none", () => {
  const names = [
    "0000000100000000000000FE",
    "0000000100000000000000FF",
    "000000010000000100000000",
  ];
  expect(missingWal(names, names[0]!)).toBeUndefined();
  expect(missingWal([names[0]!, names[2]!], names[0]!)).toBe(names[1]);
  expect(missingWal([], names[0]!)).toBe(names[0]);
});

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED the archived log: not installed: ${absent.join(", ")}`);

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

(absent.length > 0 ? describe.skip : describe)("the archived log of a server", () => {
  let servers: Servers;
  const server = () => servers.settings().server as ContainerServer;
  const back = (moment: string, into: string, from: "first" | "second" = "first") =>
    servers.agent((context) =>
      recoverDatabases(context, server(), moment, {
        identity: keys.identity,
        from,
        database: "app",
        into,
        dryRun: false,
      }),
    );
  let before: string;

  beforeAll(async () => {
    servers = await new Servers().start();
    servers.archiveLog();
    servers.sql(
      "app",
      "SET ROLE app; CREATE TABLE notes AS SELECT i FROM generate_series(1, 1000) i",
    );
    await servers.agent((context) => takeBase(context, server()));
    servers.sql("app", "INSERT INTO notes SELECT i FROM generate_series(1001, 1500) i");
    before = servers.clock();
    servers.sql("app", "DELETE FROM notes");
    servers.sql("app", "INSERT INTO notes VALUES (-1)");
    servers.awaitArchive();
  });
  afterAll(() => servers.stop());

  test("leads back to the moment before a mistake, into a database beside the one that goes on", async () => {
    const { result } = await back(before, "app_then");
    expect(result).toMatchObject({ databases: ["app_then"], rows: 1500 });
    expect(servers.sql("app_then", "SELECT count(*), max(i) FROM notes")).toBe("1500|1500");
    expect(servers.sql("app", "SELECT count(*) FROM notes")).toBe("1");
    expect(readdirSync(servers.data)).not.toContain("recovery");
  });

  test("leads to its end, from the second place alone, and a hole or a damaged file is an error instead of an early end", async () => {
    await servers.agent((context) => takeBase(context, server()));
    servers.sql("app", "INSERT INTO notes VALUES (-2)");
    servers.awaitArchive();
    const { result } = await back("end", "app_end");
    expect(result).toMatchObject({ rows: 2 });
    await expect(back("2099-01-01T00:00:00Z", "app_bad")).rejects.toThrow("ends before");

    await servers.agent((context) => copyWal(context, context.stores[0]!, context.stores[1]!));
    rmSync(path.join(servers.root, "s3/backups"), { recursive: true });
    expect((await back("end", "app_second", "second")).result).toMatchObject({ rows: 2 });

    const [system = ""] = readdirSync(path.join(servers.copies, "wal"));
    const wal = path.join(servers.copies, "wal", system);
    const files = readdirSync(wal)
      .filter((name) => /^[0-9A-F]{24}\.zst/.test(name))
      .sort();
    const last = path.join(wal, files.at(-1)!);
    const good = readFileSync(last);
    const bad = Buffer.from(good);
    bad[good.length - 5]! ^= 1;
    writeFileSync(last, bad);
    await expect(back("end", "app_bad", "second")).rejects.toThrow("is damaged");
    rmSync(path.join(wal, files.at(-2)!));
    await expect(back("end", "app_bad", "second")).rejects.toThrow(
      /is missing in the second place/,
    );
    expect(servers.databases()).not.toContain("app_bad");
    await expect(back("2020-01-01T00:00:00Z", "app_bad", "second")).rejects.toThrow("begins at");
  });
});

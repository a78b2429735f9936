import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { pruneBases, takeBase } from "../../components/backup/agent/base";
import { prune } from "../../components/backup/agent/catalogue";
import { idOf } from "../../components/backup/agent/manifest";
import { backUp } from "../../components/backup/agent/backup";
import type { BackupSettings, ContainerServer } from "../../components/backup/settings";
import { backup } from "../../scripts/backup";
import { backupFreshness } from "../../scripts/backup/freshness";
import type { Target } from "../../scripts/operator/target";
import { restore } from "../../scripts/restore";
import type { RestoreOptions } from "../../scripts/restore/options";
import { httpServer } from "../acme/harness";
import { agentWith, typed } from "./operator";
import { missing, Servers } from "./servers";

const target = { stack: "shop", outputs: { backup: {} } } as Target;
let agent: ReturnType<typeof agentWith>;
jest.mock("../../scripts/operator/one-off", () => ({
  runningTask: () => Promise.resolve({}),
  runInside: (...words: Parameters<typeof agent>) => agent(...words),
}));
jest.mock("../../scripts/operator/target", () => ({ findTarget: () => Promise.resolve(target) }));

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED damaged manifests: not installed: ${absent.join(", ")}`);

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

const DAY_MS = 86_400_000;

(absent.length > 0 ? describe.skip : describe)("a manifest that is damaged", () => {
  let servers: Servers;
  let settings: BackupSettings;
  /** Of two backups, oldest first. */
  let ids: [older: string, newest: string];
  /** Ids of two copies of the server's files, oldest first. */
  let copies: string[];
  let system: string;
  let beforeMistake: string;
  let key: string;

  const server = () => servers.settings().server as ContainerServer;
  const now = Date.now();
  const daysAgo = (days: number) => () => new Date(now - days * DAY_MS);
  const rows = (database: string) => servers.sql(database, "SELECT count(*) FROM notes");
  const manifestOf = (directory: string) => path.join(servers.objects, directory, "manifest.json");

  beforeAll(async () => {
    servers = await new Servers().start();
    settings = servers.settings();
    agent = agentWith(() => settings);
    key = servers.keyFile();
    servers.archiveLog();
    servers.sql("app", "CREATE TABLE notes AS SELECT i FROM generate_series(1, 1000) i");
    const made = async (days: number) => {
      const { result } = await servers.agent(backUp, settings, daysAgo(days));
      await servers.agent((context) => takeBase(context, server()), settings, daysAgo(days));
      return result.id;
    };
    const older = await made(2 / 24);
    servers.sql("app", "INSERT INTO notes SELECT i FROM generate_series(1001, 1500) i");
    ids = [older, await made(1 / 24)];
    beforeMistake = servers.clock();
    servers.sql("app", "DELETE FROM notes");
    servers.awaitArchive();
    [system = ""] = readdirSync(path.join(servers.objects, "bases"));
    copies = readdirSync(path.join(servers.objects, "bases", system)).sort();
  });
  afterAll(() => servers.stop());

  /** Has garbage in place of manifests of the first place while it does something. */
  const whileDamaged = async (directories: readonly string[], task: () => Promise<void>) => {
    const files = directories.map(manifestOf);
    const good = files.map((file) => readFileSync(file));
    for (const file of files) writeFileSync(file, Buffer.from([0xff, 0x00, 0x7b, 0x22]));
    try {
      await task();
    } finally {
      files.forEach((file, index) => writeFileSync(file, good[index] ?? ""));
    }
  };
  const bring = (options: RestoreOptions) =>
    typed(() => restore("shop", { identity: key, yes: true, database: "app", ...options }));
  const listed = () => typed(() => backup("shop", ["list"], {}));
  /** As the table says. */
  const placesOf = (said: string, id: string) => {
    const row = said.split("\n").find((line) => line.includes(id) && / (min|h) /.test(line));
    return /(first, second|first|second) /.exec(row ?? "")?.[1];
  };

  test("the places are listed, with moments and servers, and all is well", async () => {
    const { code, said } = await listed();
    expect(code).toBe(0);
    expect(ids.map((id) => placesOf(said, id))).toEqual(["first, second", "first, second"]);
    for (const place of ["first", "second"]) {
      expect(said).toMatch(
        new RegExp(
          `Any moment since .* \\(${place} place, server ${system}, PostgreSQL 15, [\\d.]+ MiB at .*\\)`,
        ),
      );
    }
    const { said: json } = await typed(() => backup("shop", ["list"], { json: true }));
    expect(JSON.parse(json)).toMatchObject({
      backups: [...ids]
        .reverse()
        .map((id) => ({ id, place: "first" }))
        .concat([...ids].reverse().map((id) => ({ id, place: "second" }))),
      archives: [
        { place: "first", system },
        { place: "second", system },
      ],
    });
    expect((await backupFreshness(target))?.problems).toEqual([]);
  });

  test("hides no other backup of its place, is told of with a status other than 0, and an older one is restored", async () => {
    const [older, newest] = ids;
    await whileDamaged([`backups/${newest}`], async () => {
      const { code, said } = await listed();
      expect(code).toBe(1);
      const what = `the manifest of backup ${newest} in the first place is damaged: copy backups/${newest}/manifest.json from the other place, or remove backups/${newest} there`;
      expect(said).toContain(what);
      expect(placesOf(said, older)).toBe("first, second");
      expect(placesOf(said, newest)).toBe("second");
      expect((await backupFreshness(target))?.problems).toEqual([what]);

      const from = { from: "first" };
      expect((await bring({ ...from, to: older, into: "older" })).code).toBe(0);
      expect(rows("older")).toBe("1000");
      const healthy = await bring({ into: "newest" });
      expect(healthy.said).toContain(`from backup ${newest}`);
      expect(healthy.said).toContain("second place");
      expect(rows("newest")).toBe("1500");
      // Without a word of the operator nothing older takes its place.
      await expect(bring({ ...from, into: "none" })).rejects.toThrow(
        `Backup ${newest} is newer than ${older}, and damaged. Mend it, or say that you mean the one before it: --to ${older}`,
      );
      await expect(bring({ ...from, to: newest, into: "none" })).rejects.toThrow(
        `There is no backup ${newest} in the first place.`,
      );
    });
    for (const name of ["older", "newest"]) servers.sql("postgres", `DROP DATABASE ${name}`);
  });

  test("keeps no newer copy from being made, but the run fails and its heart does not beat", async () => {
    const heard: unknown[] = [];
    const { server: ears, port } = await httpServer((incoming, response) => {
      heard.push(incoming.url);
      response.end();
    });
    settings = servers.settings({ heartbeat: `http://127.0.0.1:${port}/ping` });
    const backUpNow = () => typed(() => backup("shop", [], {}));
    try {
      await whileDamaged([`backups/${ids[0]}`, `bases/${system}/${copies[0]}`], async () => {
        const { code, said } = await backUpNow();
        expect(code).toBe(1);
        expect(said).toMatch(/Backup \d{8}T\d{6}Z is in both places/);
        expect(said).toContain(`the manifest of backup ${ids[0]} in the first place is damaged`);
        expect(said).toContain(
          `the manifest of the copy ${copies[0]} of the files of server ${system} in the first place is damaged`,
        );
      });
      expect(heard).toEqual([]);
      expect((await backUpNow()).code).toBe(0);
      expect(heard).toEqual(["/ping"]);
    } finally {
      ears.close();
      settings = servers.settings();
    }
    // What follows is about the two copies.
    for (const root of [servers.objects, servers.copies]) {
      for (const [directory, kept] of [
        [path.join(root, "bases", system), copies],
        [path.join(root, "backups"), ids],
      ] as const) {
        for (const name of readdirSync(directory).filter((one) => !kept.includes(one)))
          rmSync(path.join(directory, name), { recursive: true });
      }
    }
  });

  test("of a copy of the server's files is left out, and the older one leads to the same moment", async () => {
    await whileDamaged([`bases/${system}/${copies[1]}`], async () => {
      const { code, said } = await bring({ to: beforeMistake, into: "app_then" });
      expect(said).toContain(
        `the manifest of the copy ${copies[1]} of the files of server ${system} in the first place is damaged`,
      );
      expect(said).toMatch(/The copy of .* is taken, and more of the log\./);
      expect(code).toBe(0);
      expect(rows("app_then")).toBe("1500");
      expect((await listed()).code).toBe(1);
    });
    servers.sql("postgres", "DROP DATABASE app_then");
  });

  test("of a lost server's only copy does not let the end of the new, empty one pass for what is missed", async () => {
    const lost = path.join(servers.objects, "bases/7", copies[0] ?? "");
    cpSync(path.join(servers.objects, "bases", system, copies[0] ?? ""), lost, { recursive: true });
    writeFileSync(path.join(lost, "manifest.json"), "{");
    try {
      const { code, said } = await bring({ to: "end", into: "app_end" });
      expect(code).toBe(1);
      expect(said).toContain(
        "every copy of the files of server 7 in the first place is damaged: try --from second",
      );
      expect(servers.databases()).not.toContain("app_end");
    } finally {
      rmSync(path.dirname(lost), { recursive: true });
    }
  });

  test("is no reason to remove anything: neither the log that its copy needs, nor a whole backup of its day", async () => {
    const wal = path.join(servers.objects, "wal", system);
    const before = readdirSync(wal).sort();
    const keep = { days: 1, weeks: 0, months: 0 };
    const [older, newest] = ids;
    await whileDamaged([`bases/${system}/${copies[0]}`, `backups/${newest}`], async () => {
      // The damaged copy is older than the days that are kept, the whole one is not.
      const { result } = await servers.agent(
        (context) => pruneBases(context, context.stores[0]!, system),
        servers.settings({ keep }),
        () => new Date(now + DAY_MS - 1.5 * 3_600_000),
      );
      expect(result.map(({ id }) => id)).toEqual([copies[0]]);
      expect(readdirSync(wal).sort()).toEqual(before);
      expect(readdirSync(path.join(servers.objects, "bases", system)).sort()).toEqual(copies);

      // Three days later, after a damaged one of the same day.
      const old = idOf(new Date(now - 3 * DAY_MS - 1000));
      const spoilt = idOf(new Date(now - 3 * DAY_MS));
      const directory = (id: string) => path.join(servers.objects, "backups", id);
      for (const id of [old, spoilt]) {
        cpSync(directory(older), directory(id), { recursive: true });
        const made = JSON.parse(readFileSync(manifestOf(`backups/${older}`), "utf8")) as object;
        writeFileSync(manifestOf(`backups/${id}`), JSON.stringify({ ...made, id }));
      }
      writeFileSync(manifestOf(`backups/${spoilt}`), "");
      const pruned = await servers.agent(
        (context) => prune(context, context.stores[0]!),
        servers.settings({ keep: { days: 2, weeks: 0, months: 0 } }),
      );
      expect(pruned.result.damaged).toHaveLength(2);
      expect(pruned.result.gone).toEqual([]);
      expect(existsSync(directory(old))).toBe(true);
      for (const id of [old, spoilt]) rmSync(directory(id), { recursive: true });
    });
    // Whole again, nothing of it keeps the log.
    await servers.agent(
      (context) => pruneBases(context, context.stores[0]!, system),
      servers.settings({ keep: { ...keep, days: 0 } }),
      () => new Date(now + DAY_MS),
    );
    expect(readdirSync(path.join(servers.objects, "bases", system))).toEqual([copies[1]]);
    expect(readdirSync(wal).length).toBeLessThan(before.length);
  });
});

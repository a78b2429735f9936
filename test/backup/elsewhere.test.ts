import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { newAgeKey } from "../../components/backup/age-key";
import { backUp } from "../../components/backup/agent/backup";
import { copyWal, takeBase } from "../../components/backup/agent/base";
import type { ContainerServer } from "../../components/backup/settings";
import { restore } from "../../scripts/restore";
import type { RestoreOptions } from "../../scripts/restore/options";
import { eventually } from "../unit/examples/harness";
import { typed } from "./operator";
import { keys, missing, Servers } from "./servers";

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED restoring without a stack: not installed: ${absent.join(", ")}`);

const ROOT = path.join(__dirname, "../..");

interface Copied {
  id: string;
  parts?: { tables: object }[];
}

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

(absent.length > 0 ? describe.skip : describe)("on a machine that has the key and a place", () => {
  let servers: Servers;
  let home: string;
  let id: string;
  let beforeMistake: string;
  const server = () => servers.settings().server as ContainerServer;
  const s3 = () => `s3+http://${new URL(servers.s3.endpoint).host}/backups`;
  const sftp = () =>
    `sftp://${servers.sftp.user}@127.0.0.1:${servers.sftp.port}${servers.sftp.path}`;
  const file = (name: string) => path.join(home, name);

  beforeAll(async () => {
    servers = await new Servers().start();
    // Others enter: a server does not run as root.
    home = mkdtempSync(path.join(tmpdir(), "archipelago-elsewhere-"));
    chmodSync(home, 0o755);
    writeFileSync(file("age.key"), `${keys.identity}\n`);
    writeFileSync(file("ssh.key"), servers.sftp.key, { mode: 0o600 });
    writeFileSync(file("known"), `[127.0.0.1]:${servers.sftp.port} ${servers.sftp.hostKey}\n`);
    process.env.AWS_ACCESS_KEY_ID = servers.s3.accessKey;
    process.env.AWS_SECRET_ACCESS_KEY = servers.s3.secretKey;
    servers.archiveLog();
    servers.sql("app", "CREATE TABLE notes AS SELECT i FROM generate_series(1, 1000) i");
    const [backup] = await Promise.all([
      servers.agent(backUp),
      servers.agent((context) => takeBase(context, server())),
    ]);
    id = backup.result.id;
    servers.sql("app", "INSERT INTO notes VALUES (1001)");
    beforeMistake = servers.clock();
    servers.sql("app", "DELETE FROM notes");
    servers.awaitArchive();
    await servers.agent((context) => copyWal(context, context.stores[0]!, context.stores[1]!));
  });
  afterAll(() => {
    servers.stop();
    rmSync(home, { recursive: true });
  });

  /** @returns what it printed. */
  const run = async (place: string, options: RestoreOptions = {}, status = 0) => {
    const { code, said } = await typed(() =>
      restore(undefined, {
        place,
        identity: file("age.key"),
        sshKey: file("ssh.key"),
        knownHosts: file("known"),
        ...options,
      }),
    );
    expect(code).toBe(status);
    return said;
  };
  const rowsIn = (dump: string) => {
    const { stdout } = spawnSync("pg_restore", ["-a", "-f", "-", dump], { encoding: "utf8" });
    return stdout.split("\n").filter((line) => /^\d+$/.test(line)).length;
  };

  test("either copy alone says what it has, and becomes plain files with the same bytes, of which an interrupted restore reads none again", async () => {
    const bucket = path.join(servers.root, "s3/backups");
    for (const [place, other, directory] of [
      [s3(), servers.sftp.path, file("from-bucket")],
      [sftp(), bucket, file("from-server")],
    ] as const) {
      renameSync(other, `${other}.gone`);
      mkdirSync(directory);
      writeFileSync(path.join(directory, "database-app.dump.partial"), "cut short");
      try {
        const said = await run(place, { intoDirectory: directory });
        expect(said).toContain(id);
        expect(said).toMatch(/Any moment since .* PostgreSQL 15/);
        expect(said).toContain("database-app.dump");
        expect(rowsIn(path.join(directory, "database-app.dump"))).toBe(1000);
        expect(readdirSync(directory).sort()).toEqual(["database-app.dump", "restored.json"]);
        expect(said).not.toContain(servers.s3.secretKey);
      } finally {
        renameSync(`${other}.gone`, other);
      }
    }
    expect(await run(s3(), { intoDirectory: file("from-bucket") })).not.toContain("←");
    expect(await run(s3())).toContain(id);
  });

  test("another key or a damaged copy leaves nothing", async () => {
    writeFileSync(file("other.key"), `${newAgeKey().identity}\n`);
    const into = { intoDirectory: file("nothing") };
    await expect(run(s3(), { ...into, identity: file("other.key") })).rejects.toThrow(
      /is of no use here: it opens what is encrypted to age1.*, and the backup was encrypted to age1/,
    );
    const stored = path.join(servers.copies, "backups", id, "database-app.dump.zst.age");
    const good = readFileSync(stored);
    const bad = Buffer.from(good);
    bad[good.length >> 1]! ^= 1;
    writeFileSync(stored, bad);
    await expect(run(sftp(), into)).rejects.toThrow("cannot be restored from the given place");
    rmSync(stored);
    await expect(run(sftp(), into)).rejects.toThrow(
      "is missing in the given place; try the other place, or another backup",
    );
    expect(readdirSync(into.intoDirectory)).toEqual([]);
    writeFileSync(stored, good);
  });

  test("what is damaged is told of, with a status other than 0, and hides nothing else", async () => {
    const [system = ""] = readdirSync(path.join(servers.copies, "bases"));
    const spoilt = path.join(servers.copies, "bases/7/20200101T000000Z");
    const manifest = path.join(servers.copies, "backups", id, "manifest.json");
    const good = readFileSync(manifest);
    writeFileSync(manifest, good.subarray(0, 100));
    mkdirSync(spoilt, { recursive: true });
    writeFileSync(path.join(spoilt, "manifest.json"), "{");
    try {
      const said = await run(sftp(), {}, 1);
      expect(said).toContain(`the manifest of backup ${id} in the given place is damaged`);
      expect(said).toContain("the copy 20200101T000000Z of the files of server 7 in the given");
      expect(said).toMatch(new RegExp(`Any moment since .*server ${system}`));
      await expect(run(sftp(), { intoDirectory: file("none"), to: "end" })).rejects.toThrow(
        /every copy of the files of server 7 in the given place is damaged: try the other place.*--server <number>/,
      );
    } finally {
      writeFileSync(manifest, good);
      rmSync(path.dirname(spoilt), { recursive: true });
    }
  });

  test("a new database in any server holds the same rows, and none that is there is touched", async () => {
    const { PGHOST, PGUSER } = process.env;
    process.env.PGHOST = path.join(servers.data, "run");
    process.env.PGUSER = "postgres";
    try {
      await expect(run(s3(), { toPostgres: true })).rejects.toThrow("has a database app already");
      const said = await run(s3(), { toPostgres: true, into: "app_again" });
      expect(said).toContain("app_again: 1000 rows in 1 tables, the same as in backup");
      expect(servers.sql("app_again", "SELECT count(*) FROM notes")).toBe("1000");
      servers.sql("postgres", "DROP DATABASE app_again");
      expect(servers.databases()).toEqual(["app", "own", "postgres"]);
    } finally {
      Object.assign(process.env, { PGHOST, PGUSER });
      if (PGHOST === undefined) delete process.env.PGHOST;
      if (PGUSER === undefined) delete process.env.PGUSER;
    }
  });

  /** One that has ended, and that nobody has asked for its status, is there still. */
  const isRunning = (pid: number) => {
    const file = `/proc/${pid}/stat`;
    return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, "utf8"));
  };

  /** The same as `run`, as a process of its own, which is killed while its server replays. */
  const killDuringRecovery = async (directory: string) => {
    const words = {
      place: sftp(),
      to: beforeMistake,
      "into-directory": directory,
      identity: file("age.key"),
      "ssh-key": file("ssh.key"),
      "known-hosts": file("known"),
    };
    const flags = Object.entries(words).flatMap(([name, value]) => [`--${name}`, value]);
    const program = ["build/run.cjs", "scripts/cli.ts", "restore", ...flags];
    const child = spawn(process.execPath, program, { cwd: ROOT, stdio: "ignore" });
    const server = await eventually(() => {
      const [pid] = readFileSync(`${directory}.partial/postmaster.pid`, "utf8").split("\n");
      return Number(pid);
    }, 60);
    child.kill("SIGKILL");
    await once(child, "exit");
    return { restore: child.pid, server };
  };

  test("a moment becomes a data directory that a server of that version starts on, without a key or a login in it, right after an attempt that was killed", async () => {
    const directory = file("data");
    const killed = await killDuringRecovery(directory);
    const said = await run(sftp(), { intoDirectory: directory, to: beforeMistake });
    await eventually(() => expect(isRunning(killed.server)).toBe(false));
    expect(readdirSync("/dev/shm").filter((name) => name.includes(`-${killed.restore}-`))).toEqual(
      [],
    );
    expect(said).toContain(
      `the state of ${new Date(beforeMistake).toISOString()} is in ${directory}`,
    );
    expect(readdirSync(home).filter((name) => name.endsWith(".partial"))).toEqual([]);
    const root = process.getuid?.() === 0;
    const as = (...command: string[]) => {
      const all = root ? ["runuser", "-u", "postgres", "--", ...command] : command;
      const { stdout, stderr, status } = spawnSync(all[0] ?? "", all.slice(1), {
        encoding: "utf8",
        cwd: "/",
        timeout: 60_000,
      });
      if (status !== 0) throw new Error(stderr + stdout);
      return stdout.trim();
    };
    const socket = mkdtempSync(path.join(tmpdir(), "archipelago-socket-"));
    chmodSync(socket, 0o777);
    const options = `-k ${socket} -c listen_addresses= -c fsync=off`;
    as("pg_ctl", "-D", directory, "-l", path.join(directory, "log"), "-w", "-o", options, "start");
    try {
      const psql = ["psql", "-XqAt", "-h", socket, "-U", "postgres", "-d", "app"];
      expect(as(...psql, "-c", "SELECT count(*), max(i) FROM notes")).toBe("1001|1001");
      expect(as(...psql, "-c", "SHOW restore_command")).toBe("");
    } finally {
      as("pg_ctl", "-D", directory, "-m", "immediate", "-w", "stop");
      rmSync(socket, { recursive: true });
    }
    await expect(run(s3(), { intoDirectory: directory, to: "end" })).rejects.toThrow(
      "is not empty",
    );
  });

  test("an empty server that was made after a loss does not pass for the one that is missed", async () => {
    const made = { bases: "", backups: "" };
    const copy = (
      what: keyof typeof made,
      from: string,
      to: string,
      edit: (one: Copied) => void,
    ) => {
      made[what] = path.join(servers.objects, what, to);
      cpSync(path.join(servers.objects, what, from), made[what], { recursive: true });
      const [manifest = ""] = readdirSync(made[what], { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith("manifest.json"))
        .map((name) => path.join(made[what], name));
      const content = JSON.parse(readFileSync(manifest, "utf8")) as Copied;
      edit(content);
      writeFileSync(manifest, JSON.stringify(content));
    };
    const [lost = ""] = readdirSync(path.join(servers.objects, "bases"));
    const later = "2099-01-01T00:00:00.000Z";
    copy("bases", lost, "7", (base) => Object.assign(base, { system: "7", finishedAt: later }));
    copy("backups", id, "20990101T000000Z", (backup) => {
      backup.id = "20990101T000000Z";
      backup.parts?.forEach((part) => (part.tables = {}));
    });
    try {
      const into = { intoDirectory: file("missed") };
      await expect(run(s3(), { ...into, to: "end" })).rejects.toThrow(
        new RegExp(`several servers archived.*  ${lost}: .*  7: .*--server <number>`, "s"),
      );
      const chosen = { ...into, to: "end", server: lost, dryRun: true };
      expect(await run(s3(), chosen)).toContain("Would restore all that was archived");
      await expect(run(s3(), into)).rejects.toThrow(
        new RegExp(
          `20990101T000000Z, has much less than ${id}: .* 0 rows instead of 1000.* --to ${id}`,
        ),
      );
    } finally {
      for (const each of Object.values(made)) rmSync(each, { recursive: true });
    }
  });

  test("what a place's name says wrong is said before anything is asked", async () => {
    await expect(run("backups")).rejects.toThrow("--place must be s3://<server>/<bucket>");
    await expect(run("sftp://u:hunter2@host/x")).rejects.toThrow("--place takes no password");
    await expect(run("sftp://u@127.0.0.1/x")).rejects.toThrow("has no host key of 127.0.0.1");
    await expect(run(s3(), { toPostgres: true, to: "2026-11-21T00:00:00Z" })).rejects.toThrow(
      "A moment needs the server's own files",
    );
  });
});

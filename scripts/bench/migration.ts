/** How fast data moves, beside the programs that everybody would use, on the same server in the same run. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../../local/fault";
import { openSide } from "../migrate/postgres/side";
import { copyOnce, copyScript } from "../migrate/postgres/snapshot";
import { SqliteFile } from "../migrate/sqlite/file";
import { load, readTarget } from "../migrate/sqlite/load";
import { preflight } from "../migrate/sqlite/preflight";
import { MIB, ratio, run, RUNS, seconds } from "./beside";
import { treeBytes } from "./proc";
import type { Figure } from "./report";
import { localPsql, PostgresServer } from "./throwaway-postgres";

const SMALL_MIB = 100;
const LARGE_MIB = 1024;

/** Files whose values pgloader takes, too: nothing but what each column was declared as. */
const rowsOf = (mib: number) => `
CREATE TABLE users (id integer PRIMARY KEY, email varchar(60) NOT NULL, created_at datetime NOT NULL);
CREATE TABLE events (id integer PRIMARY KEY, user_id integer NOT NULL, at datetime NOT NULL, amount real, kind text, body text);
CREATE INDEX events_user ON events (user_id);
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
INSERT INTO users SELECT n, 'user' || n || '@example.com', datetime(n * 1000, 'unixepoch') FROM n;
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${mib * 4096})
INSERT INTO events SELECT n, n % 10000 + 1, datetime(n, 'unixepoch'), n / 7.0, 'kind ' || n % 9, hex(zeroblob(50)) || hex(randomblob(30)) FROM n;`;

export async function migration(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), "archipelago-bench-migration-"));
  const server = await PostgresServer.start();
  try {
    const file = join(dir, "small.db");
    await run("sqlite3", ["-bail", file], rowsOf(SMALL_MIB));
    const mib = statSync(file).size / MIB;
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let turn = 0; turn < RUNS; turn++) {
      ours.push(await seconds(() => moveFile(server, file, `ours${turn}`)));
      theirs.push(await seconds(() => pgloader(server, dir, file, `theirs${turn}`)));
    }
    const sqlite = ratio("migrate sqlite ÷ pgloader, each row verified by ours", ours, theirs, mib);
    const postgres = await betweenServers(server, "ours0");
    return [sqlite, postgres, ...(await memory(server, dir, file))];
  } finally {
    server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** All that `npm run migrate -- sqlite` does, but for the way over SSH. */
async function moveFile(server: PostgresServer, file: string, database: string): Promise<void> {
  await server.database(database);
  const psql = server.psql(database);
  try {
    await SqliteFile.copyOf(file, async (copy) => {
      const choices = { wishes: {}, without: [], replace: false };
      const nothing = () => undefined;
      const look = await preflight(copy, (names) => readTarget(psql, names), choices, nothing);
      if (look.faults.length > 0) throw new Fault(JSON.stringify(look.faults));
      await load(copy, psql, look, false, nothing);
    });
  } finally {
    await psql.end();
  }
}

async function pgloader(server: PostgresServer, dir: string, file: string, database: string) {
  await server.database(database);
  const script = join(dir, "load");
  const target = `postgresql://${database}:${database}@127.0.0.1:${server.port}/${database}`;
  writeFileSync(
    script,
    `LOAD DATABASE FROM sqlite://${file} INTO ${target} WITH include drop, create tables, create indexes, reset sequences;\n`,
  );
  await run("pgloader", ["--quiet", script]);
  const psql = server.psql(database);
  const loaded = Number(await psql.value("SELECT count(*) FROM events;"));
  await psql.end();
  if (loaded !== SMALL_MIB * 4096) throw new Fault(`pgloader lost rows: ${loaded} came.`);
}

/** The copy that a live migration begins with. */
async function betweenServers(server: PostgresServer, database: string): Promise<Figure> {
  const other = await PostgresServer.start();
  try {
    const psql = server.psql(database, "postgres");
    const bytes = Number(await psql.value("SELECT pg_database_size(current_database());"));
    await psql.end();
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let turn = 0; turn < RUNS; turn++) {
      const empty = async (name: string) => {
        const admin = other.psql("postgres", "postgres");
        await admin.run(`DROP DATABASE IF EXISTS ${name};`);
        await admin.run(`CREATE DATABASE ${name} OWNER ${database};`);
        await admin.end();
      };
      if (turn === 0) await other.database(database);
      await empty(database);
      ours.push(await seconds(() => copy(server, other, database)));
      await empty("plain");
      const plain = `pg_dump -Fc ${at(server, database)} --no-owner --exclude-schema=archipelago | pg_restore ${at(other, "plain")} --no-owner --single-transaction`;
      theirs.push(await seconds(() => run("sh", ["-euc", plain])));
    }
    return ratio("migrate postgres, copy ÷ pg_dump -Fc | pg_restore", ours, theirs, bytes / MIB);
  } finally {
    other.stop();
  }
}

const at = ({ port }: PostgresServer, database: string) =>
  `-h 127.0.0.1 -p ${port} -U postgres -d ${database}`;

async function copy(from: PostgresServer, to: PostgresServer, database: string): Promise<void> {
  const source = await openSide(() => from.psql(database, "postgres"), database);
  const target = await openSide(() => to.psql(database, "postgres"), database);
  const words = `host=127.0.0.1 port=${from.port} user=postgres dbname=${database} replication=database`;
  try {
    await copyOnce(database, source, target, localPsql([words]), (job) => {
      const ends = { dump: at(from, database), restore: at(to, database), role: database };
      return run("sh", ["-euc", copyScript(job, ends)]);
    });
  } finally {
    for (const { admin, owner } of [source, target]) await Promise.all([admin.end(), owner.end()]);
  }
}

/** What this process and the programs that it runs take at most, of a small and of a large one. */
async function memory(server: PostgresServer, dir: string, small: string): Promise<Figure[]> {
  const large = join(dir, "large.db");
  await run("sqlite3", ["-bail", large], rowsOf(LARGE_MIB));
  const sqlite = [
    await peakMib(() => moveFile(server, small, "small")),
    await peakMib(() => moveFile(server, large, "large")),
  ] as const;
  rmSync(large);
  const other = await PostgresServer.start();
  try {
    const postgres: number[] = [];
    for (const database of ["small", "large"]) {
      await other.database(database);
      postgres.push(await peakMib(() => copy(server, other, database)));
    }
    const [before = NaN, after = NaN] = postgres;
    return [flat("migrate sqlite", ...sqlite), flat("migrate postgres, copy", before, after)];
  } finally {
    other.stop();
  }
}

const flat = (what: string, before: number, after: number): Figure => ({
  figure: `${what}: memory for ${LARGE_MIB} MiB ÷ for ${SMALL_MIB} MiB`,
  value: after / before,
  unit: "ratio",
  goal: 1.25,
  details: { small: `${before.toFixed(0)} MiB`, large: `${after.toFixed(0)} MiB` },
});

async function peakMib(work: () => Promise<void>): Promise<number> {
  let peak = 0;
  const look = () => (peak = Math.max(peak, treeBytes(process.pid)));
  const timer = setInterval(look, 50);
  try {
    await work();
  } finally {
    clearInterval(timer);
    look();
  }
  return peak / MIB;
}

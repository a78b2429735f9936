/** Data moves while people use the app: to the stack's other server and back, and in from a SQLite file. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { migrate as run } from "../../migrate/postgres";
import type { Kept } from "../../migrate/postgres/kept";
import { parseEnds } from "../../migrate/postgres/route";
import { StackServers } from "../../migrate/postgres/stack";
import { Psql } from "../../migrate/psql";
import { moveTables, psqlByPooler } from "../../migrate/sqlite";
import type { Target } from "../../operator/target";
import { operate } from "../command";
import type { Outcome, Scenario } from "../drill";
import { STACK, type StackConfig, WEB } from "../ground";
import { askContainer, outcomeOf, storedNotes } from "../rows";
import { startWriter } from "../writer";

const SINGLE: StackConfig = {
  topology: "single-node",
  region: "fra1",
  nodes: { "manager-1": { size: "s-2vcpu-4gb" } },
  database: "container",
  services: { web: { ...WEB, replicas: 2 } },
};

const BOTH: StackConfig = {
  ...SINGLE,
  database: { engine: "container", migrateTo: "managed", size: "db-s-1vcpu-2gb" },
};

/** Longest that an app's writes may wait for a switch. */
export const MAX_PAUSE_MS = 2000;

/** Each waits for its answer before it writes again. */
const WRITERS = 4;
/** Writes on each server, before it is left. */
const STAY_MS = 5000;
/** Rows that are there to be copied, of about 200 bytes. */
const BALLAST_ROWS = 300_000;
/** Writes to the file while its move is rehearsed. */
const FILE_ROWS = 1_000_000;

export const migratePostgres: Scenario = {
  name: "migrate-postgres",
  action: `a database of ${BALLAST_ROWS} rows from the container to the managed server and back, ${WRITERS} writers; then --end`,
  base: BOTH,
  maxPauseMs: MAX_PAUSE_MS,
  prepare: async (ground) => {
    const { url } = await ground.outputs();
    await askContainer(
      ground,
      `SET ROLE app; CREATE TABLE ballast AS SELECT n AS id, repeat(md5(n::text), 6) AS text FROM generate_series(1, ${BALLAST_ROWS}) n;
       ALTER TABLE ballast ADD PRIMARY KEY (id);`,
    );
    const target = await ground.target();
    return async (): Promise<Outcome> => {
      const marks = Array.from({ length: WRITERS }, () => ground.fresh());
      const writers = marks.map((mark) => startWriter({ url }, mark));
      const notes: string[] = [];
      for (const [from, to] of [
        ["container", "managed"],
        ["managed", "container"],
      ] as const) {
        await delay(STAY_MS);
        const ends = { from: `${STACK}:${from}`, to: `${STACK}:${to}`, database: "app" };
        const report = await run(await parseEnds(ends).open(target), { ...ends, json: true });
        if (report.outcome !== "moved") {
          throw new Error(`${report.outcome}: ${JSON.stringify(report.faults)}`);
        }
        const { seconds, changes, pauseMs, cut } = report;
        notes.push(
          `to ${to} in ${seconds.toFixed(1)} s, ${changes} changes made meanwhile, PgBouncer paused for ${pauseMs} ms, ${cut} transactions ended`,
        );
      }
      notes.push(await endWayBack(target));
      await delay(STAY_MS);
      const written = await Promise.all(writers.map((writer) => writer.stop()));
      const stored = await Promise.all(marks.map((mark) => storedNotes(ground, mark)));
      return { ...outcomeOf(written, stored), notes };
    };
  },
};

/** Whatever a migration makes on a server, and a subscription, which it never does. */
const LEFT = `
  SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication)
  + (SELECT count(*) FROM pg_subscription) + (SELECT count(*) FROM pg_namespace WHERE nspname = 'archipelago');`;

/** Gives up the way there and back while the app writes. @throws {Error} when something of it is left. */
async function endWayBack(target: Target): Promise<string> {
  const [before] = await keptChanges();
  if (before === undefined) throw new Error("status does not say what is kept for the way back");
  const ends = ["--from", `${STACK}:container`, "--to", `${STACK}:managed`];
  const { code, complaint } = await operate(["migrate", "postgres", ...ends, "--end", "--json"]);
  if (code !== 0) throw new Error(`--end ended with ${code}: ${complaint}`);
  const [after] = await keptChanges();
  if (after) throw new Error(`after --end the ${after.server} server keeps ${after.bytes} bytes`);
  const servers = await StackServers.find(target);
  for (const engine of ["container", "managed"] as const) {
    const psql = new Psql(servers.session(engine, "app"));
    const left = await psql.value(LEFT).finally(() => psql.end());
    if (left !== "0") throw new Error(`after --end ${left} things are left on ${engine}`);
  }
  return `the ${before.server} server kept ${(before.bytes / 2 ** 20).toFixed(1)} MiB for the way back, by status; --end removed all of it on both, while the app wrote`;
}

/** As an operator sees it. */
async function keptChanges(): Promise<readonly Kept[]> {
  const { stdout } = await operate(["status", STACK, "--json"]);
  return (JSON.parse(stdout) as { kept?: readonly Kept[] }).kept ?? [];
}

export const migrateSqlite: Scenario = {
  name: "migrate-sqlite",
  action: `a SQLite file of ${FILE_ROWS} rows and one writer: rehearsed while it is written, the writer stopped, moved`,
  base: SINGLE,
  prepare: async (ground) => {
    const dir = mkdtempSync(path.join(tmpdir(), "drill-sqlite-"));
    const file = path.join(dir, "app.db");
    const writer = new FileWriter(file);
    await writer.begin();
    const target = await ground.target();
    return async (): Promise<Outcome> => {
      try {
        writer.write();
        await delay(STAY_MS);
        const options = { database: "app", json: true };
        const start = await psqlByPooler(target, options.database);
        const rehearsed = await moveTables(file, start, { ...options, rehearse: true });
        await writer.stop();
        const stopped = Date.now();
        const moved = await moveTables(file, start, options);
        const pauseMs = Date.now() - stopped;
        if (rehearsed.outcome !== "rehearsed" || moved.outcome !== "migrated") {
          throw new Error(
            `${rehearsed.outcome}, ${moved.outcome}: ${JSON.stringify(moved.faults)}`,
          );
        }
        const stored = new Set(await askContainer(ground, "SELECT id FROM events;"));
        return {
          rowsWritten: writer.acknowledged.length,
          rowsLost: writer.acknowledged.filter((id) => !stored.has(id)).length,
          pauseMs,
          failedWrites: [],
          notes: [
            `rehearsed in ${rehearsed.seconds.toFixed(1)} s, moved in ${moved.seconds.toFixed(1)} s, ${stored.size} rows`,
            "the pause is the file's writer's, which is stopped before the last copy is taken; the stack's own app goes on",
          ],
        };
      } finally {
        await writer.stop();
        rmSync(dir, { recursive: true, force: true });
      }
    };
  },
};

/** An app that keeps its rows in a SQLite file, one after the other, and counts those that SQLite said yes to. */
class FileWriter {
  readonly acknowledged: string[] = [];
  private readonly child;
  private readonly lines: AsyncIterator<string, undefined>;
  private writing: Promise<void> | undefined;
  private going = true;

  constructor(file: string) {
    this.child = spawn("sqlite3", ["-batch", "-bail", file], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]();
  }

  /** The table, and the rows that were there before. */
  async begin(): Promise<void> {
    await this.ask(`.timeout 10000
      PRAGMA journal_mode = wal;
      CREATE TABLE events (id integer PRIMARY KEY AUTOINCREMENT, at datetime NOT NULL, kind varchar(20), data blob, paid boolean NOT NULL);
      WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${FILE_ROWS})
      INSERT INTO events (at, kind, data, paid) SELECT datetime(n, 'unixepoch'), 'seed', randomblob(50), n % 2 FROM n;
      SELECT 'ready';`);
    while ((await this.line()) !== "ready");
  }

  write(): void {
    this.writing = (async () => {
      while (this.going) {
        await this.ask(
          "INSERT INTO events (at, kind, data, paid) VALUES (datetime('now'), 'drill', randomblob(50), 1) RETURNING id;",
        );
        this.acknowledged.push(await this.line());
      }
    })();
  }

  async stop(): Promise<void> {
    this.going = false;
    await this.writing;
    this.child.stdin.end();
  }

  private async ask(sql: string): Promise<void> {
    await new Promise((done) => this.child.stdin.write(`${sql}\n`, done));
  }

  private async line(): Promise<string> {
    const next = await this.lines.next();
    if (next.done) throw new Error("sqlite3 ended");
    return next.value;
  }
}

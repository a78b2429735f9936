import { setTimeout as wait } from "node:timers/promises";
import PgBoss from "pg-boss";
import type { Report, Reports } from "./database";
import type { PostgresPool } from "./postgres-pool";

const QUEUE = "reports";

/** What a process may take beyond the work itself before its job counts as lost, seconds. */
const SPARE_SECONDS = 5;

/** Processes may die this often over one report. */
const RETRIES = 100;

export const REPORTS_SCHEMA = `CREATE TABLE IF NOT EXISTS reports (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  seconds int NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz,
  notes bigint,
  done_by text,
  attempts int)`;

interface ReportRow {
  readonly id: string;
  readonly seconds: number;
  readonly asked_at: Date;
  readonly done_at: Date | null;
  readonly notes: string | null;
  readonly done_by: string | null;
  readonly attempts: number | null;
}

/**
 * Reports in PostgreSQL, queued by pg-boss in the same database.
 *
 * A report and its place in the queue are one transaction, and so are its result and leaving the queue: none is lost and
 * none is written twice, wherever a process dies. pg-boss gives a job to one process at a time (SKIP LOCKED), and again to
 * another when it was not completed in time.
 */
export class PostgresReports implements Reports {
  private readonly boss: PgBoss;

  constructor(private readonly pool: PostgresPool) {
    const db = executor(pool);
    // Each process maintains the queue itself, so that none needs to start, nor to find the database up when it does.
    this.boss = new PgBoss({ db, schedule: false, supervise: false });
    this.boss.on("error", (error) => console.error(`queue: ${error.message}`));
  }

  /** Creates or updates pg-boss's own schema. Under the migration's lock. */
  async migrate(): Promise<void> {
    await this.boss.start();
    await this.boss.createQueue(QUEUE);
    await this.boss.stop({ graceful: false });
  }

  async ask(seconds: number): Promise<Report> {
    return this.pool.transaction(async (client) => {
      const { rows } = await client.query<ReportRow>(
        "INSERT INTO reports (seconds) VALUES ($1) RETURNING *",
        [seconds],
      );
      const report = toReport(rows[0]);
      await this.boss.send(
        QUEUE,
        {},
        {
          id: report.id,
          expireInSeconds: seconds + SPARE_SECONDS,
          retryLimit: RETRIES,
          db: executor(client),
        },
      );
      return report;
    });
  }

  async report(id: string): Promise<Report | undefined> {
    const { rows } = await this.pool.read<ReportRow>("SELECT * FROM reports WHERE id = $1", [id]);
    return rows[0] && toReport(rows[0]);
  }

  async summary(limit: number) {
    const [counts, latest] = await Promise.all([
      this.pool.read<{ waiting: string; done: string }>(
        "SELECT count(*) FILTER (WHERE done_at IS NULL) AS waiting, count(done_at) AS done FROM reports",
      ),
      this.pool.read<ReportRow>("SELECT * FROM reports ORDER BY asked_at DESC, id LIMIT $1", [
        limit,
      ]),
    ]);
    const [{ waiting, done } = { waiting: 0, done: 0 }] = counts.rows;
    return { waiting: Number(waiting), done: Number(done), reports: latest.rows.map(toReport) };
  }

  async work(node: string, signal: AbortSignal): Promise<boolean> {
    const [job] = await this.boss.fetch(QUEUE, { includeMetadata: true });
    if (job === undefined) return false;
    const attempt = job.retryCount + 1;
    console.log(`report ${job.id}: attempt ${attempt}`);
    try {
      await this.write(job.id, node, attempt, signal);
    } catch (error) {
      console.error(`report ${job.id}: ${error instanceof Error ? error.message : String(error)}`);
      // Without an answer the queue takes it back by itself, later.
      await this.boss.fail(QUEUE, job.id).catch(() => undefined);
    }
    return true;
  }

  async maintain(): Promise<void> {
    await this.boss.maintain();
  }

  private async write(id: string, node: string, attempts: number, signal: AbortSignal) {
    const { seconds = 0 } = (await this.report(id)) ?? {};
    await wait(seconds * 1000, undefined, { signal });
    await this.pool.transaction(async (client) => {
      await client.query(
        `UPDATE reports SET done_at = now(), notes = (SELECT count(*) FROM notes), done_by = $2, attempts = $3
         WHERE id = $1 AND done_at IS NULL`,
        [id, node, attempts],
      );
      await this.boss.complete(QUEUE, id, { db: executor(client) });
    });
  }
}

/** Only what pg-boss asks of a database. */
const executor = (database: { query: PgBoss.Db["executeSql"] }): PgBoss.Db => ({
  executeSql: (text, values) => database.query(text, values),
});

function toReport(row: ReportRow | undefined): Report {
  if (row === undefined) throw new Error("the database returned no row for a new report");
  return {
    id: row.id,
    seconds: row.seconds,
    askedAt: row.asked_at.toISOString(),
    doneAt: row.done_at?.toISOString() ?? null,
    notes: row.notes === null ? null : Number(row.notes),
    doneBy: row.done_by,
    attempts: row.attempts,
  };
}

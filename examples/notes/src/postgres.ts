import type { Database, Note } from "./database";
import { PostgresPool } from "./postgres-pool";
import { PostgresReports, REPORTS_SCHEMA } from "./reports";

/** Any number, the same for every copy of this app. */
const MIGRATION_LOCK = 7_236_512;

/** One statement a step; steps are only ever added. Each is safe to run again. */
const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS counter (id int PRIMARY KEY CHECK (id = 1), value bigint NOT NULL)",
  "INSERT INTO counter (id, value) VALUES (1, 0) ON CONFLICT (id) DO NOTHING",
  `CREATE TABLE IF NOT EXISTS notes (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     text text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now())`,
  "CREATE TABLE IF NOT EXISTS latest (id int PRIMARY KEY CHECK (id = 1), value bigint NOT NULL)",
  "INSERT INTO latest (id, value) VALUES (1, 0) ON CONFLICT (id) DO NOTHING",
  "CREATE TABLE IF NOT EXISTS sessions (key text PRIMARY KEY, name text NOT NULL, ends_at timestamptz NOT NULL)",
  "CREATE INDEX IF NOT EXISTS sessions_ends_at ON sessions (ends_at)",
  REPORTS_SCHEMA,
];

interface NoteRow {
  readonly id: string;
  readonly text: string;
  readonly created_at: Date;
}

/**
 * PostgreSQL, directly or through PgBouncer's transaction pooling: no named prepared statements, no session state
 * (Debian's PgBouncer 1.18 cannot carry prepared statements from one transaction to the next).
 */
export class PostgresDatabase implements Database {
  readonly reports: PostgresReports;
  private readonly pool: PostgresPool;

  constructor(url: string) {
    this.pool = new PostgresPool({
      connectionString: url,
      // Sessions are few, and every copy of the app wants some, the next version's too: none is kept for long.
      max: 4,
      connectionTimeoutMillis: 3000,
      idleTimeoutMillis: 2000,
      // A PgBouncer that is to stop serves the connections that it has for a minute, and gets no new ones.
      maxLifetimeSeconds: 15,
      query_timeout: 10_000,
    });
    this.reports = new PostgresReports(this.pool);
  }

  migrate() {
    return this.pool.transaction(async (client) => {
      // Released with the transaction, so that it works through transaction pooling.
      await client.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      for (const statement of SCHEMA) await client.query(statement);
      // The queue's own steps are its own transactions, on other connections; they wait for nothing of this one.
      await this.reports.migrate();
    });
  }

  async ping() {
    await this.pool.read("SELECT 1");
  }

  async counter() {
    const { rows } = await this.pool.read<{ value: string }>("SELECT value FROM counter");
    return Number(rows[0]?.value ?? 0);
  }

  async increment() {
    const { rows } = await this.pool.query<{ value: string }>(
      "UPDATE counter SET value = value + 1 RETURNING value",
    );
    return Number(rows[0]?.value ?? 0);
  }

  async latest() {
    const { rows } = await this.pool.read<{ value: string }>("SELECT value FROM latest");
    return Number(rows[0]?.value ?? 0);
  }

  async putLatest(value: number) {
    const { rows } = await this.pool.query<{ value: string }>(
      "UPDATE latest SET value = greatest(value, $1) RETURNING value",
      [value],
    );
    return Number(rows[0]?.value ?? 0);
  }

  async session(key: string) {
    const { rows } = await this.pool.read<{ name: string }>(
      "SELECT name FROM sessions WHERE key = $1 AND ends_at > now()",
      [key],
    );
    return rows[0]?.name;
  }

  async putSession(key: string, name: string, seconds: number) {
    await this.pool.query("DELETE FROM sessions WHERE ends_at < now()");
    await this.pool.query(
      `INSERT INTO sessions (key, name, ends_at) VALUES ($1, $2, now() + make_interval(secs => $3))
       ON CONFLICT (key) DO UPDATE SET name = excluded.name, ends_at = excluded.ends_at`,
      [key, name, seconds],
    );
  }

  async endSession(key: string) {
    await this.pool.query("DELETE FROM sessions WHERE key = $1", [key]);
  }

  async notes(limit: number) {
    const { rows } = await this.pool.read<NoteRow>(
      "SELECT id, text, created_at FROM notes ORDER BY id DESC LIMIT $1",
      [limit],
    );
    return rows.map(toNote);
  }

  async addNote(text: string) {
    const { rows } = await this.pool.query<NoteRow>(
      "INSERT INTO notes (text) VALUES ($1) RETURNING id, text, created_at",
      [text],
    );
    const [row] = rows;
    if (!row) throw new Error("the database returned no row for a new note");
    return toNote(row);
  }

  async deleteNote(id: number) {
    const { rowCount } = await this.pool.query("DELETE FROM notes WHERE id = $1", [id]);
    return rowCount === 1;
  }

  close() {
    return this.pool.end();
  }
}

const toNote = ({ id, text, created_at }: NoteRow): Note => ({
  id: Number(id),
  text,
  createdAt: created_at.toISOString(),
});

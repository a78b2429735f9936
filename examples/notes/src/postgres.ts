import { Pool } from "pg";
import type { Database, Note } from "./database";

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
  private readonly pool: Pool;

  constructor(url: string) {
    this.pool = new Pool({
      connectionString: url,
      max: 10,
      connectionTimeoutMillis: 3000,
      idleTimeoutMillis: 30_000,
      query_timeout: 10_000,
    });
    // An idle connection that breaks must not end the process: the next query opens another.
    this.pool.on("error", (error) => console.error(`idle database connection: ${error.message}`));
  }

  async migrate() {
    const client = await this.pool.connect();
    try {
      await client.query("BEGIN");
      // Released with the transaction, so that it works through transaction pooling.
      await client.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      for (const statement of SCHEMA) await client.query(statement);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK").catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }

  async ping() {
    await this.pool.query("SELECT 1");
  }

  async counter() {
    const { rows } = await this.pool.query<{ value: string }>("SELECT value FROM counter");
    return Number(rows[0]?.value ?? 0);
  }

  async increment() {
    const { rows } = await this.pool.query<{ value: string }>(
      "UPDATE counter SET value = value + 1 RETURNING value",
    );
    return Number(rows[0]?.value ?? 0);
  }

  async notes(limit: number) {
    const { rows } = await this.pool.query<NoteRow>(
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

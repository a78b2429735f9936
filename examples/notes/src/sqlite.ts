import type { Database, Note } from "./database";

/** The part of Node 22's `node:sqlite` used here; Node 20's type definitions lack it. */
interface Statement {
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  run(...values: unknown[]): { changes: number | bigint };
}
interface DatabaseSync {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}
interface SqliteModule {
  readonly DatabaseSync: new (path: string) => DatabaseSync;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL);
  INSERT INTO counter (id, value) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
  CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')));`;

const NOTE = "id, text, created_at AS createdAt";

function loadSqlite(): SqliteModule | undefined {
  // Not `require`: a bundler or an older Node would fail on the name alone. There since Node 20.16.
  const { getBuiltinModule } = process as { getBuiltinModule?: (id: string) => unknown };
  return getBuiltinModule?.("node:sqlite") as SqliteModule | undefined;
}

/** A SQLite file on the Volume: for one copy of the app only. */
export class SqliteDatabase implements Database {
  private readonly db: DatabaseSync;

  /** @throws {Error} when this Node has no SQLite */
  constructor(file: string) {
    const sqlite = loadSqlite();
    if (!sqlite) throw new Error(`SQLite needs Node 22.13 or later, got ${process.version}`);
    this.db = new sqlite.DatabaseSync(file);
    this.db.exec(
      "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
    );
  }

  async migrate() {
    await Promise.resolve();
    this.db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
  }

  async ping() {
    await this.counter();
  }

  async counter() {
    return this.value("SELECT value FROM counter");
  }

  async increment() {
    return this.value("UPDATE counter SET value = value + 1 RETURNING value");
  }

  async notes(limit: number) {
    await Promise.resolve();
    return this.db
      .prepare(`SELECT ${NOTE} FROM notes ORDER BY id DESC LIMIT ?`)
      .all(limit) as Note[];
  }

  async addNote(text: string) {
    await Promise.resolve();
    return this.db
      .prepare(`INSERT INTO notes (text) VALUES (?) RETURNING ${NOTE}`)
      .get(text) as Note;
  }

  async deleteNote(id: number) {
    await Promise.resolve();
    return Number(this.db.prepare("DELETE FROM notes WHERE id = ?").run(id).changes) === 1;
  }

  async close() {
    await Promise.resolve();
    this.db.close();
  }

  private async value(sql: string): Promise<number> {
    await Promise.resolve();
    const row = this.db.prepare(sql).get() as { value: number } | undefined;
    if (!row) throw new Error("the schema is missing: run the migrate command");
    return row.value;
  }
}

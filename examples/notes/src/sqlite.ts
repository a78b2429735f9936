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
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')));
  CREATE TABLE IF NOT EXISTS latest (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL);
  INSERT INTO latest (id, value) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
  CREATE TABLE IF NOT EXISTS sessions (key TEXT PRIMARY KEY, name TEXT NOT NULL, ends_at INTEGER NOT NULL);`;

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

  async latest() {
    return this.value("SELECT value FROM latest");
  }

  async putLatest(value: number) {
    return this.value("UPDATE latest SET value = max(value, ?) RETURNING value", value);
  }

  async session(key: string) {
    await Promise.resolve();
    const row = this.db
      .prepare("SELECT name FROM sessions WHERE key = ? AND ends_at > unixepoch()")
      .get(key) as { name: string } | undefined;
    return row?.name;
  }

  async putSession(key: string, name: string, seconds: number) {
    await Promise.resolve();
    this.db.prepare("DELETE FROM sessions WHERE ends_at < unixepoch()").run();
    this.db
      .prepare(
        `INSERT INTO sessions (key, name, ends_at) VALUES (?, ?, unixepoch() + ?)
         ON CONFLICT (key) DO UPDATE SET name = excluded.name, ends_at = excluded.ends_at`,
      )
      .run(key, name, seconds);
  }

  async endSession(key: string) {
    await Promise.resolve();
    this.db.prepare("DELETE FROM sessions WHERE key = ?").run(key);
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

  private async value(sql: string, ...values: unknown[]): Promise<number> {
    await Promise.resolve();
    const row = this.db.prepare(sql).get(...values) as { value: number } | undefined;
    if (!row) throw new Error("the schema is missing: run the migrate command");
    return row.value;
  }
}

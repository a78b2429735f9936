/** A PostgreSQL database from an app's old server into the stack's: a dump, into a database beside the present one. */
import { pipeline } from "node:stream/promises";
import { Readable, Transform } from "node:stream";
import { SAME_TEXT } from "../../../components/backup/agent/postgres";
import { Fault } from "../../../local/fault";
import { identifier, literal } from "../../migrate/names";
import { Psql, type StartPsql } from "../../migrate/psql";
import { asMaker } from "./dump-text";
import type { Running } from "./host";
import { mustBeSame, sumsOf } from "./table-sums";

/** The server that has the data. */
export interface DumpSource {
  /** In its database. */
  readonly psql: StartPsql;
  /** pg_dump with these words; its output is SQL. */
  dump(words: readonly string[]): Running;
}

/** The stack's server, as its superuser. */
export interface DumpTarget {
  psql(database: string): StartPsql;
}

export interface PostgresLook {
  readonly faults: readonly string[];
  readonly notes: readonly string[];
  readonly bytes: number;
  /** `16.3` */
  readonly version: string;
}

export interface PostgresMoved {
  readonly tables: number;
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Releases before 12 write floating-point numbers with another count of digits; fifteen are the same in all. */
const SHORTEST_SINCE = 120_000;

/** What the copy is not given: owner and grants, which are the stack's, and what belongs to the server. */
const DUMP_WORDS = [
  "--no-owner",
  "--no-privileges",
  "--no-publications",
  "--no-subscriptions",
  "--no-tablespaces",
  "--no-security-labels",
  "--encoding=UTF8",
];

export class PostgresMove {
  private constructor(
    private readonly source: DumpSource,
    private readonly target: DumpTarget,
    /** Database of the stack, and its owner. */
    readonly database: string,
    private readonly from: Psql,
    private readonly admin: Psql,
  ) {}

  static open(source: DumpSource, target: DumpTarget, database: string): PostgresMove {
    const admin = new Psql(target.psql("postgres"));
    return new PostgresMove(source, target, database, new Psql(source.psql), admin);
  }

  /** Beside the present one, and never seen by the app. */
  private get beside(): string {
    return `${this.database}_adopt`;
  }

  async look(): Promise<PostgresLook> {
    const { from, admin } = this;
    const faults: string[] = [];
    if (
      (await admin.value(
        `SELECT 1 FROM pg_database WHERE datname = ${literal(this.database)};`,
      )) === ""
    )
      faults.push(`the stack has no database ${this.database}`);
    const wanted = await from.run(
      "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1;",
    );
    for (const name of wanted) {
      const has = await admin.value(
        `SELECT 1 FROM pg_available_extensions WHERE name = ${literal(name)};`,
      );
      if (has === "")
        faults.push(
          `the extension ${name} is not in the stack's PostgreSQL: have the app do without it`,
        );
    }
    for (const name of await from.run("SELECT evtname FROM pg_event_trigger;")) {
      faults.push(`${name} is an event trigger, which only a superuser may have: drop it`);
    }
    const version = await from.value("SHOW server_version;");
    const there = await admin.value("SHOW server_version;");
    const bytes = await from.value("SELECT pg_database_size(current_database());");
    const notes =
      major(version) > major(there)
        ? [
            `PostgreSQL ${version} becomes ${there}: rehearse, which shows whether the older one takes everything`,
          ]
        : [];
    return { faults, notes, bytes: Number(bytes), version };
  }

  /**
   * Copies all of it as it is at one moment, and compares every table's rows with that moment's. An app may go on writing.
   *
   * @throws {Fault} when the stack's server refuses something, or a table is not the same. What was made is removed then.
   */
  async copy(onBytes: (bytes: number) => void): Promise<PostgresMoved> {
    const { database, beside, admin, from } = this;
    const started = Date.now();
    await this.discard();
    await admin.run(
      `CREATE DATABASE ${identifier(beside)} OWNER ${identifier(database)} TEMPLATE template0;`,
    );
    await admin.run(`REVOKE CONNECT ON DATABASE ${identifier(beside)} FROM PUBLIC;`);
    try {
      const version = Number(await from.value("SHOW server_version_num;"));
      const text = `${SAME_TEXT} SET extra_float_digits = ${version < SHORTEST_SINCE ? 0 : 1};`;
      await from.run(`${text} BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;`);
      const snapshot = await from.value("SELECT pg_export_snapshot();");
      const [expected, bytes] = await Promise.all([sumsOf(from), this.fill(snapshot, onBytes)]);
      await from.run("COMMIT;");
      const copy = new Psql(this.target.psql(beside));
      try {
        await copy.run(text);
        mustBeSame(expected, await sumsOf(copy));
      } finally {
        await copy.end();
      }
      expected.delete("large objects");
      const rows = [...expected.values()].reduce((sum, one) => sum + one.rows, 0);
      const seconds = (Date.now() - started) / 1000;
      return { tables: expected.size, rows, bytes, seconds };
    } catch (error) {
      await this.discard().catch(() => undefined);
      throw error;
    }
  }

  private async fill(snapshot: string, onBytes: (bytes: number) => void): Promise<number> {
    const knowsRestrict = await this.knowsRestrict();
    let bytes = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _, done) {
        bytes += chunk.length;
        onBytes(bytes);
        done(null, chunk);
      },
    });
    const dump = this.source.dump([...DUMP_WORDS, `--snapshot=${snapshot}`]);
    dump.stdin.end();
    // At once: Node.js throws away what a program that has ended printed while nobody read it.
    void pipeline(dump.stdout, counted).catch(() => undefined);
    const sql = Readable.from(
      asMaker(dump, counted, { maker: this.beside, owner: this.database }, knowsRestrict),
    );
    let complaint = "";
    const code = await this.target.psql(this.beside)({
      stdin: sql,
      onStdout: () => undefined,
      onStderr: (chunk) => (complaint = (complaint + chunk.toString()).slice(-4096)),
    });
    // Why it was not read to its end says more than that it was not written.
    await dump.ended;
    if (code === 0) return bytes;
    throw new Fault(
      `The stack's PostgreSQL takes not everything: ${complaint.trim().replace(/^psql:<stdin>:\d+: /gm, "")}`,
    );
  }

  /** Releases of psql since August 2025 know `\restrict`, and those of pg_dump write it. */
  private async knowsRestrict(): Promise<boolean> {
    const psql = new Psql(this.target.psql("postgres"));
    try {
      await psql.run("\\restrict key\n\\unrestrict key");
      return true;
    } catch {
      return false;
    } finally {
      await psql.end();
    }
  }

  /**
   * The copy becomes the app's database; sessions end once. What was there is kept.
   *
   * @returns the name of what is kept.
   */
  async takePlace(label: string): Promise<string> {
    const { admin } = this;
    const [name, beside, kept] = [this.database, this.beside, `${this.database}_before_${label}`];
    const [place, old] = [identifier(name), identifier(kept)];
    await admin.run(`ALTER DATABASE ${place} ALLOW_CONNECTIONS false;`);
    try {
      await admin.run(
        `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = ${literal(name)};
         BEGIN; ALTER DATABASE ${place} RENAME TO ${old}; ALTER DATABASE ${identifier(beside)} RENAME TO ${place}; COMMIT;`,
      );
    } catch (error) {
      const psql = new Psql(this.target.psql("postgres"));
      await psql.run(`ALTER DATABASE ${place} ALLOW_CONNECTIONS true;`).catch(() => undefined);
      await psql.end();
      throw error;
    }
    return kept;
  }

  /** Removes the copy. */
  async discard(): Promise<void> {
    const psql = new Psql(this.target.psql("postgres"));
    try {
      const name = identifier(this.beside);
      await psql.run("SET client_min_messages TO warning;");
      await psql.run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE);`);
      await psql.run(`DROP ROLE IF EXISTS ${name};`);
    } finally {
      await psql.end();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.from.end(), this.admin.end()]);
  }
}

const major = (version: string) => Number.parseInt(version, 10);

/** A SQLite file's tables from another machine into a stack's PostgreSQL. */
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { Fault } from "../../../local/fault";
import type { StartPsql } from "../../migrate/psql";
import { moveTables, type SqliteReport } from "../../migrate/sqlite";
import { CommandFailed, type Host } from "./host";

/** What there is, and what stands in the way. */
export interface SqliteLook {
  readonly file: string;
  readonly tables: number;
  readonly rows: number;
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

export interface TablesMoved {
  readonly tables: number;
  readonly rows: number;
  readonly seconds: number;
}

export class SqliteMove {
  /**
   * @param start opens the stack's database.
   * @param replace rows of tables that are there give way. @default they are in the way
   */
  constructor(
    private readonly host: Host,
    private readonly file: string,
    private readonly start: StartPsql,
    private readonly options: { readonly database: string; readonly replace?: boolean },
  ) {}

  async look(): Promise<SqliteLook> {
    const { tables, faults, notes } = await this.run({ dryRun: true });
    const said = ({ at, says }: SqliteReport["faults"][number]) => `${this.file}: ${at} ${says}`;
    return {
      file: this.file,
      ...countOf(tables),
      faults: faults.map(
        (fault) => `${said(fault)}. npm run migrate -- sqlite --help says what can be done.`,
      ),
      notes: notes.map(said),
    };
  }

  /** @param rehearse takes the rows back. @throws {Fault} when something is in the way since it was looked at. */
  async move(rehearse: boolean): Promise<TablesMoved> {
    const { tables, faults, seconds } = await this.run({ rehearse });
    const [fault] = faults;
    if (fault) throw new Fault(`${this.file}: ${fault.at} ${fault.says}`);
    return { ...countOf(tables), seconds };
  }

  private async run(how: { readonly dryRun?: boolean; readonly rehearse?: boolean }) {
    const dir = mkdtempSync(path.join(tmpdir(), "archipelago-adopt-"));
    try {
      const here = await fetchSqlite(this.host, this.file, dir);
      return await moveTables(here, this.start, { ...this.options, ...how, json: true });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
}

const countOf = (tables: SqliteReport["tables"]) => ({
  tables: tables.length,
  rows: tables.reduce((sum, { rows }) => sum + rows, 0),
});

/**
 * A consistent copy of a file of another machine, by SQLite's online backup where that has its program: the app may go on
 * writing. Elsewhere the file and its write-ahead log are copied as they are, which a writer may tear apart: the migration
 * finds that out, and refuses it.
 *
 * @param dir of this machine.
 * @returns the copy's path.
 */
export async function fetchSqlite(host: Host, file: string, dir: string): Promise<string> {
  const here = path.join(dir, "app.db");
  const hasProgram = await host.succeeds("command -v sqlite3 >/dev/null");
  try {
    if (hasProgram) await fetch(host, BACKUP, file, here);
    else {
      await fetch(host, 'cat "$1"', file, here);
      await fetch(host, 'if [ -e "$1-wal" ]; then cat "$1-wal"; fi', file, `${here}-wal`);
    }
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new Fault(`${file} on ${host.name} cannot be read: ${error.message}`);
  }
  return here;
}

const BACKUP = `umask 077
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
sqlite3 -readonly -batch "$1" '.timeout 10000' ".backup '$dir/copy'"
cat "$dir/copy"`;

async function fetch(host: Host, script: string, file: string, here: string): Promise<void> {
  const running = host.start(script, file);
  running.stdin.end();
  await pipeline(running.stdout, createWriteStream(here, { mode: 0o600 }));
  await running.ended;
}

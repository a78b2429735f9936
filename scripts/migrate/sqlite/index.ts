/** `npm run migrate -- sqlite <file> --to <stack>`: a SQLite file's tables into the stack's PostgreSQL. */
import * as fs from "node:fs";
import pc from "picocolors";
import { Fault } from "../../../local/fault";
import { step } from "../../../local/progress";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { runInside, runningTask } from "../../operator/one-off";
import { findTarget, type Target } from "../../operator/target";
import { PSQL_FLAGS, Psql, type StartPsql } from "../psql";
import { SqliteFile } from "./file";
import { load, readTarget, type TableResult } from "./load";
import type { Finding, Wishes } from "./plan";
import { type Preflight, preflight } from "./preflight";
import { rateOf, shownRate } from "./rate";

export interface SqliteOptions {
  readonly to: string;
  readonly cloud?: boolean;
  /** @default "app" */
  readonly database: string;
  readonly as?: readonly string[];
  readonly without?: readonly string[];
  readonly replace?: boolean;
  readonly rehearse?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** What `--json` prints. */
export interface SqliteReport {
  readonly outcome: "refused" | "planned" | "rehearsed" | "migrated";
  readonly database: string;
  readonly tables: readonly (TableResult | { readonly table: string; readonly rows: number })[];
  readonly seconds: number;
  readonly faults: readonly Finding[];
  readonly notes: readonly Finding[];
}

/** @returns 0 when everything asked for was done, 1 when something stands in the way. */
export async function migrateSqlite(file: string, options: SqliteOptions): Promise<number> {
  if (!fs.existsSync(file)) throw new Fault(`There is no file ${file}.`);
  const target = await findTarget(options.to, options.cloud ?? false);
  try {
    const start = await psqlByPooler(target, options.database);
    const report = await moveTables(file, start, options);
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else print(report, options);
    return report.outcome === "refused" ? 1 : 0;
  } finally {
    closeConnections();
  }
}

/**
 * All of it but what is printed at the end.
 *
 * @param start opens the database.
 */
export function moveTables(
  file: string,
  start: StartPsql,
  options: Omit<SqliteOptions, "to">,
): Promise<SqliteReport> {
  const wishes = readWishes(options.as ?? []);
  return SqliteFile.copyOf(file, (copy) => migrateCopy(copy, start, options, wishes));
}

/** psql as the app's user of a database, wherever PgBouncer leads. @throws {Fault} when no PgBouncer runs. */
export async function psqlByPooler(target: Target, database: string): Promise<StartPsql> {
  const task = await runningTask(target, "pgbouncer");
  return (streams) => runInside(task, ["sh", "-euc", PSQL_BY_POOLER, "sh", database], streams);
}

/** `psql` as the user of database $1, by the pooler that it runs beside. The password goes from its file to a file of psql's, and nowhere else. */
const PSQL_BY_POOLER = `
umask 077
pass=$(mktemp)
trap 'rm -f "$pass"' EXIT
sed -n 's/^"\\(.*\\)" "\\(.*\\)"$/127.0.0.1:6432:*:\\1:\\2/p' /run/secrets/pgbouncer-users >"$pass"
grep -q ":$1:" "$pass" || { echo "the stack has no database $1" >&2; exit 1; }
PGPASSFILE=$pass psql ${PSQL_FLAGS.join(" ")} -h 127.0.0.1 -p 6432 -U "$1" -d "$1"`;

async function migrateCopy(
  copy: SqliteFile,
  start: StartPsql,
  {
    database,
    without = [],
    replace = false,
    rehearse = false,
    dryRun,
    json,
  }: Omit<SqliteOptions, "to">,
  wishes: Wishes,
): Promise<SqliteReport> {
  const started = Date.now();
  const psql = new Psql(start);
  try {
    const look = await step("Looking at every table", (work) =>
      preflight(
        copy,
        (names) => readTarget(psql, names),
        { wishes, without, replace },
        (table) => work.note(table),
      ),
    );
    const planned = look.plans.map(({ table, rows }) => ({ table: table.name, rows }));
    const report = (outcome: SqliteReport["outcome"], tables: SqliteReport["tables"]) => {
      const seconds = (Date.now() - started) / 1000;
      return { outcome, database, tables, seconds, faults: look.faults, notes: look.notes };
    };
    if (look.faults.length > 0) return report("refused", planned);
    if (!json) printNotes(look.notes);
    if (dryRun) return report("planned", planned);
    return report(
      rehearse ? "rehearsed" : "migrated",
      await loadWithProgress(copy, psql, look, rehearse),
    );
  } finally {
    await psql.end();
  }
}

function loadWithProgress(copy: SqliteFile, psql: Psql, look: Preflight, rehearse: boolean) {
  const all = look.plans.reduce((sum, { rows }) => sum + rows, 0);
  const title = rehearse ? "Rehearsing: every row, taken back at the end" : "Loading";
  const rate = rateOf(all);
  return step(title, (work) =>
    load(copy, psql, look, rehearse, ({ table, doing, rows, bytes }) =>
      work.note([table, doing, rate(rows, bytes)].filter(Boolean).join(", ")),
    ),
  );
}

/** `table.column=type`. */
function readWishes(words: readonly string[]): Wishes {
  return Object.fromEntries(
    words.map((word) => {
      const [, at, type] = /^([^=]+\.[^=]+)=(.+)$/.exec(word) ?? [];
      if (at === undefined || type === undefined) {
        throw new Fault(`--as must be table.column=type, got ${word}`);
      }
      return [at, type];
    }),
  );
}

const line = ({ at, says }: Finding) => `  ${pc.bold(at)} ${says}\n`;

function printNotes(notes: readonly Finding[]): void {
  if (notes.length === 0) return;
  process.stderr.write(`Otherwise than in the file:\n${notes.map(line).join("")}`);
}

function print(
  { outcome, tables, seconds, faults, notes }: SqliteReport,
  { to, database }: SqliteOptions,
) {
  const out = (text: string) => process.stdout.write(`${text}\n`);
  if (outcome === "refused") {
    printNotes(notes);
    out(`Nothing was changed. In the way:\n${faults.map(line).join("").trimEnd()}`);
    return;
  }
  for (const each of tables) {
    const checked = "bytes" in each ? `, the same in both (${each.seconds.toFixed(1)} s)` : "";
    out(`  ${each.table}: ${each.rows} rows${checked}`);
  }
  if (outcome === "planned") {
    out(`These rows would be migrated into ${database} of ${to}. Nothing was changed.`);
    return;
  }
  const rows = tables.reduce((sum, each) => sum + each.rows, 0);
  const bytes = tables.reduce((sum, each) => sum + ("bytes" in each ? each.bytes : 0), 0);
  const took = `${seconds.toFixed(1)} s, ${shownRate(rows, bytes, seconds)}`;
  out(
    outcome === "rehearsed"
      ? `${pc.green("Rehearsed")} in ${took}: every row arrived as it is in the file, and was taken back. Nothing was changed.`
      : `${pc.green("Migrated")} into ${database} of ${to} in ${took}: every row is as it is in the file.`,
  );
}

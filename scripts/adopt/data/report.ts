/** What an operator reads about a move of data. */
import pc from "picocolors";
import { size } from "../../backup/agent";
import type { Moved } from "./move";
import type { PostgresLook } from "./postgres";
import type { SqliteLook } from "./sqlite";

/** What there is to move. */
export interface Planned {
  readonly volumes: readonly {
    readonly service: string;
    readonly from: string;
    readonly files: number;
    readonly bytes: number;
  }[];
  readonly database: PostgresLook | undefined;
  readonly sqlite?: SqliteLook | undefined;
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

/** What `--json` prints. */
export interface DataReport extends Planned {
  readonly outcome: "refused" | "planned" | "rehearsed" | "moved";
  readonly seconds: number;
  readonly moved?: Moved;
}

export function describePlan({ volumes, database, sqlite, notes }: Planned): string {
  const lines = [
    ...volumes.map(
      ({ from, service, files, bytes }) => `  ${from} → ${service}: ${files} files, ${size(bytes)}`,
    ),
    ...(database ? [`  PostgreSQL ${database.version}: ${size(database.bytes)}`] : []),
    ...(sqlite
      ? [`  ${sqlite.file} → PostgreSQL: ${sqlite.rows} rows in ${sqlite.tables} tables`]
      : []),
    ...notes.map((note) => `  ${pc.yellow("note")} ${note}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** @param from the server. */
export function describeData(
  { outcome, faults, moved, seconds }: DataReport,
  { stack, from }: { stack: string; from: string },
): string {
  if (outcome === "refused") {
    return `Nothing was changed. In the way:\n${faults.map((fault) => `  ${fault}`).join("\n")}\n`;
  }
  if (moved === undefined) return `This would move to ${stack}. Nothing was changed (--dry-run).\n`;
  const isFinal = outcome === "moved";
  const stop = `${Math.ceil(moved.stopSeconds)} s`;
  return [
    `${pc.green(isFinal ? "Moved" : "Rehearsed")} to ${stack} in ${seconds.toFixed(1)} s:`,
    ...describeMoved(moved),
    isFinal
      ? `Nothing wrote for ${stop}. ${from} still has everything, and its app stays stopped. Lead the app's name to ${stack}: npm run status -- ${stack}`
      : `All of it was taken back, and ${from} was not touched. In the final run (without --rehearse) nothing may write for about ${stop}, and ${stack} restarts what it keeps files of.`,
    "",
  ].join("\n");
}

/** A line for each thing that was copied and compared. */
export function describeMoved({ volumes, databases, sqlite }: Moved): string[] {
  return [
    ...volumes.map(
      ({ service, files, bytes, bytesPerSecond, changed, kept }) =>
        `  files of ${service}: ${files}, ${size(bytes)}, ${size(bytesPerSecond)}/s, the same by SHA-256` +
        (changed > 0 && kept === undefined ? `; ${changed} were changed meanwhile` : "") +
        (kept === undefined ? "" : `; what was there before is ${kept}`),
    ),
    ...databases.map(
      ({ database, rows, tables, seconds: took, kept }) =>
        `  database ${database}: ${rows} rows in ${tables} tables, ${took.toFixed(1)} s, the same by sums` +
        (kept === undefined ? "" : `; the one before is ${kept}`),
    ),
    ...(sqlite === undefined
      ? []
      : [
          `  SQLite: ${sqlite.rows} rows in ${sqlite.tables} tables, ${sqlite.seconds.toFixed(1)} s, the same by sums`,
        ]),
  ];
}

/** What the database of a drill's stack has, and what became of rows that were written to it. */
import { Psql } from "../migrate/psql";
import { psqlByPooler } from "../migrate/sqlite";
import type { Outcome } from "./drill";
import type { Ground } from "./ground";
import { inService, linesOf } from "./in-service";
import type { Written } from "./writer";

/** Runs SQL as the container's superuser. @returns lines of its answer. @throws {Error} when it fails. */
export async function askContainer(ground: Ground, sql: string): Promise<string[]> {
  const command = "psql -U postgres -d app -At -v ON_ERROR_STOP=1 -f -".split(" ");
  return linesOf(await inService(ground, "postgres", command, { stdin: sql, user: "postgres" }));
}

const notesOf = (mark: string) => `SELECT text FROM notes WHERE text LIKE '${mark}-%';`;

/** Texts of the notes that a drill wrote. @param mark begins each of them. */
export const storedNotes = async (ground: Ground, mark: string): Promise<ReadonlySet<string>> =>
  new Set(await askContainer(ground, notesOf(mark)));

/** Runs SQL as the user of `app`, on whichever server PgBouncer leads to. @returns lines of its answer. @throws {Error} when it fails. */
export async function askPooler(ground: Ground, sql: string): Promise<string[]> {
  const psql = new Psql(await psqlByPooler(await ground.target(), "app"));
  try {
    return await psql.run(sql);
  } finally {
    await psql.end();
  }
}

/** Texts of the notes, wherever the app finds its database. */
export const notesByPooler = async (ground: Ground, mark: string): Promise<ReadonlySet<string>> =>
  new Set(await askPooler(ground, notesOf(mark)));

/** @param written and, of the same writer each, `stored`: the texts that are there in the end. */
export function outcomeOf(
  written: readonly Written[],
  stored: readonly ReadonlySet<string>[],
): Omit<Outcome, "notes"> {
  const lost = written.flatMap(({ acknowledged }, index) =>
    acknowledged.filter((text) => stored[index]?.has(text) !== true),
  );
  return {
    rowsWritten: written.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0),
    rowsLost: lost.length,
    pauseMs: Math.max(...written.map(({ pauseMs }) => pauseMs)),
    failedWrites: written.flatMap(({ failures }) => failures),
  };
}

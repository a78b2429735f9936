/** The first copy: a snapshot of the source, and everything that happens from then on. */
import { Fault } from "../../../local/fault";
import { identifier, literal } from "../names";
import { Psql, type StartPsql } from "../psql";
import type { Side } from "./side";
import {
  dropSlot,
  OWN_SCHEMA,
  OWN_TABLES,
  progressSql,
  publish,
  setTriggers,
  slotName,
  STREAM,
} from "./stream";

export interface CopyJob {
  /** For `pg_dump --snapshot`. */
  readonly snapshot: string;
  /** SQL that becomes part of the copy's one transaction, after everything else. */
  readonly last: string;
}

/**
 * Copies the source's definitions and rows, unless that was done before; changes are kept from the moment of the copy on. The
 * target's user may not log in until the switch.
 *
 * @param openReplication a session of the replication protocol (`replication=database`) in the source.
 * @param copy dumps and restores, in one transaction: cut off, it leaves nothing.
 * @throws {Fault} when the source no longer keeps what came after the copy.
 */
export async function copyOnce(
  database: string,
  source: Side,
  target: Side,
  openReplication: StartPsql,
  copy: (job: CopyJob) => Promise<void>,
): Promise<"copied" | "was there"> {
  if (await isCopied(source, target, database)) return "was there";
  await target.admin.run(target.gate.shut);
  for (const { owner } of [source, target]) await owner.run(OWN_TABLES);
  await publish(source);
  await dropSlot(source);
  const walsender = new Psql(openReplication);
  try {
    const made = await walsender.value(
      `CREATE_REPLICATION_SLOT ${identifier(slotName(database))} LOGICAL pgoutput EXPORT_SNAPSHOT;`,
    );
    const [, lsn = "", snapshot = ""] = made.split("|");
    await copy({ snapshot, last: progressSql(lsn) });
  } finally {
    await walsender.end();
  }
  await setTriggers(target, "DISABLE");
  return "copied";
}

/** Whether a migration put there what the target has. */
export async function hasCopy({ owner: target }: Side): Promise<boolean> {
  const table = await target.value(`SELECT to_regclass('${OWN_SCHEMA}.progress');`);
  if (table === "") return false;
  const place = `SELECT 1 FROM ${OWN_SCHEMA}.progress WHERE stream = ${literal(STREAM)};`;
  return (await target.value(place)) !== "";
}

/** Whether the target has the copy, and the source still keeps what came after it. */
async function isCopied(source: Side, target: Side, database: string): Promise<boolean> {
  if (!(await hasCopy(target))) return false;
  const slot = await source.admin.value(
    // PostgreSQL 12 and older never lose what a slot keeps.
    `SELECT coalesce(to_jsonb(s) ->> 'wal_status', 'reserved') FROM pg_replication_slots s WHERE slot_name = ${literal(slotName(database))};`,
  );
  if (slot === "" || slot === "lost") {
    throw new Fault(
      `The source no longer keeps the changes that ${database} on the target lacks: empty the target's database, and begin again.`,
    );
  }
  return true;
}

/**
 * Shell script that copies: `pg_dump` into `psql`, which reads an error where the dump failed.
 *
 * @param dump and @param restore how each reaches its server; words of the shell.
 */
export function copyScript(
  { snapshot, last }: CopyJob,
  { dump, restore, role }: { dump: string; restore: string; role: string },
): string {
  const flags = dumpFlags(snapshot).join(" ");
  return `{
  echo 'SET ROLE ${identifier(role)};'
  if pg_dump ${dump} ${flags}; then cat <<'LAST'
${last}
LAST
  else echo 'the dump failed;'; fi
} | psql -X -q -1 -o /dev/null -v ON_ERROR_STOP=1 ${restore}`;
}

/** Of `pg_dump`, for what a migration copies. */
export const dumpFlags = (snapshot: string): string[] => [
  `--snapshot=${snapshot}`,
  "--no-owner",
  "--no-privileges",
  "--no-publications",
  "--no-subscriptions",
  "--no-tablespaces",
  `--exclude-schema=${OWN_SCHEMA}`,
];

/** What replication cannot carry, found before anything is changed. */
import { literal } from "../names";
import type { Side } from "./side";
import { hasCopy } from "./snapshot";
import { OWN_SCHEMA } from "./stream";

export interface Finding {
  readonly at: string;
  readonly says: string;
}

export interface Look {
  readonly faults: readonly Finding[];
  readonly notes: readonly Finding[];
  /** Bytes of the source's database. */
  readonly bytes: number;
}

const OWN = `n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '${OWN_SCHEMA}')`;
const TABLES = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OWN} AND c.relkind = 'r'`;
const NAME = "format('%I.%I', n.nspname, c.relname)";

/** Names of things on the source, and why each stands in the way. */
const OBSTACLES: readonly (readonly [string, string])[] = [
  [
    `SELECT ${NAME} FROM ${TABLES} AND c.relpersistence = 'p' AND c.relreplident IN ('d', 'i') AND NOT EXISTS (
       SELECT FROM pg_index i WHERE i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END)`,
    "has no primary key: give it one, so that its changes can be told",
  ],
  [
    `SELECT ${NAME} FROM ${TABLES} AND c.relpersistence = 'p' AND c.relreplident IN ('f', 'n')`,
    "has another REPLICA IDENTITY than its key: ALTER TABLE … REPLICA IDENTITY DEFAULT",
  ],
  [
    `SELECT ${NAME} FROM ${TABLES} AND c.relpersistence = 'u'`,
    "is unlogged, so that its changes are not told: ALTER TABLE … SET LOGGED, or drop it",
  ],
  [
    `SELECT ${NAME} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OWN} AND c.relkind = 'f'`,
    "is a foreign table: it is not carried over",
  ],
  [
    "SELECT 'large objects' FROM pg_largeobject_metadata HAVING count(*) > 0",
    "are not told of by replication: keep them in a bytea column, or as files",
  ],
  [
    `SELECT ${NAME} FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${OWN} AND NOT t.tgisinternal AND t.tgenabled <> 'O' GROUP BY 1`,
    "has triggers that are disabled, or fire for replication too: enable or drop them",
  ],
  ["SELECT evtname FROM pg_event_trigger", "is an event trigger: only a superuser can make one"],
];

export async function preflight(source: Side, target: Side): Promise<Look> {
  const faults: Finding[] = [];
  const level = await source.admin.value("SHOW wal_level;");
  if (level !== "logical") {
    faults.push({
      at: "wal_level",
      says: `must be logical on the source, got ${level}: run up for a stack; elsewhere set it and restart the server`,
    });
  }
  const [from, to] = await Promise.all(
    [source, target].map(({ admin }) => admin.value("SHOW server_version_num;")),
  );
  // One that the data came from has the definitions already, and takes rows from a newer one.
  const isCopied = await hasCopy(target);
  if (!isCopied) faults.push(...(await leftOn(target)));
  if (!isCopied && Math.floor(Number(to) / 10_000) < Math.floor(Number(from) / 10_000)) {
    faults.push({
      at: "version",
      says: `the target's PostgreSQL (${to}) is older than the source's (${from})`,
    });
  }
  for (const [query, says] of OBSTACLES) {
    for (const at of await source.admin.run(`${query};`)) faults.push({ at, says });
  }
  const wanted = await source.admin.run(
    "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql';",
  );
  for (const name of wanted) {
    const has = await target.admin.value(
      `SELECT 1 FROM pg_available_extensions WHERE name = ${literal(name)};`,
    );
    if (has === "")
      faults.push({ at: name, says: "is an extension that the target does not offer" });
  }
  const foreign = await source.admin.run(
    `SELECT ${NAME} FROM ${TABLES} AND pg_get_userbyid(c.relowner) <> ${literal(source.role)};`,
  );
  const bytes = Number(await source.admin.value("SELECT pg_database_size(current_database());"));
  const notes = [
    ...wanted.map((at) => ({ at, says: "is an extension: it is made on the target as well" })),
    ...foreign.map((at) => ({
      at,
      says: `belongs to another role: on the target it is ${target.role}'s, without grants`,
    })),
  ];
  return { faults, notes, bytes };
}

/** Tables that would be among the copied ones. */
async function leftOn({ admin: target }: Side): Promise<Finding[]> {
  const tables = await target.run(
    `SELECT ${NAME} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OWN} AND c.relkind IN ('r', 'p') ORDER BY 1;`,
  );
  if (tables.length === 0) return [];
  const more = tables.length > 5 ? ` and ${tables.length - 5} more` : "";
  return [
    {
      at: await target.value("SELECT current_database();"),
      says: `must be empty on the target, and has ${tables.slice(0, 5).join(", ")}${more}: is it the right one? Drop them if nobody needs them`,
    },
  ];
}

const SHAPE = `
SELECT format('%I.%I.%I %s%s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE ${OWN} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1;`;

/** Replication carries no change of a definition: a deploy in between may have made one. @returns columns that differ, the first few. */
export async function drift(source: Side, target: Side): Promise<string[]> {
  const [from, to] = await Promise.all([source, target].map(({ admin }) => admin.run(SHAPE)));
  const [before, after] = [new Set(from), new Set(to)];
  return [
    ...(from ?? []).filter((one) => !after.has(one)),
    ...(to ?? []).filter((one) => !before.has(one)),
  ].slice(0, 5);
}

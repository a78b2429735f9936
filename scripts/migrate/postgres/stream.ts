/**
 * One direction of logical replication between two databases that need not reach each other: changes are read from a slot of the
 * source, and done on the target in one transaction with the place that they end at. What was done is not done again.
 */
import { Fault } from "../../../local/fault";
import { literal } from "../names";
import type { Side } from "./side";
import { changeSql, type FixedColumns } from "./change-sql";
import { decode, type Relation } from "./pgoutput";

/** Where we keep what is ours, in both databases; it is never copied. */
export const OWN_SCHEMA = "archipelago";

/** Name of the publication and of the place reached; slots begin with it. */
export const STREAM = "archipelago_migration";

/** Slots are the server's, so each has its database's name in it, as far as a slot's name can say it. */
export const slotName = (database: string) =>
  `${STREAM}_${database.toLowerCase().replace(/[^a-z0-9_]/g, "_")}`.slice(0, 63);

/** The same in SQL. */
const SLOT = `left('${STREAM}_' || regexp_replace(lower(current_database()), '[^a-z0-9_]', '_', 'g'), 63)`;

const BEHIND = `SELECT pg_current_wal_insert_lsn() - confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = ${SLOT};`;

/** Changes that are read at once; whole transactions, so there may be more. */
const BATCH = 5000;

/** Of them, those that are held at once. */
const FETCH = 500;

/** In characters; a single statement may be longer. */
const MESSAGE_LENGTH = 32 * 1024;

/** What is left when a look takes no longer than that, a pause has the time for. */
const CLOSE_MS = 500;

const FIXED_COLUMNS = `
SELECT format('%s.%s.%s', n.nspname, c.relname, a.attname) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attidentity = 'a' AND a.attnum > 0;`;

export const OWN_TABLES = `
CREATE SCHEMA IF NOT EXISTS ${OWN_SCHEMA};
CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.progress (stream text PRIMARY KEY, lsn pg_lsn NOT NULL);`;

/** Says on the target that everything up to a place in the source's log is there. */
export const progressSql = (lsn: string) =>
  `INSERT INTO ${OWN_SCHEMA}.progress VALUES (${literal(STREAM)}, ${literal(lsn)}) ON CONFLICT (stream) DO UPDATE SET lsn = excluded.lsn;`;

export interface Applied {
  readonly changes: number;
  readonly transactions: number;
  /** Nothing else was in the log. */
  readonly isAll: boolean;
}

export interface CatchUp {
  /** Is told of each batch, and how many bytes of the source's log the target is behind after it. */
  readonly onApplied?: (applied: Applied & { readonly behind: number }) => void;
  /** Ends it between two batches. */
  readonly signal?: AbortSignal;
  /** How long it may come no nearer. @default for ever */
  readonly patienceMs?: number;
}

export class ChangeStream {
  private readonly relations = new Map<number, Relation>();
  private fixed: FixedColumns | undefined;

  constructor(
    private readonly source: Side,
    private readonly target: Side,
  ) {}

  /**
   * Does what is in the source's log now, a batch of it.
   *
   * @param release lets the source forget what was done, which takes its time.
   */
  private async advance(release: boolean): Promise<Applied> {
    const { owner } = this.target;
    const done = await owner.value(
      `SELECT lsn FROM ${OWN_SCHEMA}.progress WHERE stream = ${literal(STREAM)};`,
    );
    this.fixed ??= new Set(await owner.run(FIXED_COLUMNS));
    let read = 0;
    let [changes, transactions] = [0, 0];
    let isNew = false;
    let last: string | undefined;
    let message = "";
    for await (const line of this.read()) {
      read += 1;
      const change = decode(Buffer.from(line.slice(2), "hex"));
      if (change?.kind === "begin") {
        isNew = !isBefore(change.commit, done);
        if (isNew && transactions === 0)
          await owner.write("BEGIN; SET CONSTRAINTS ALL DEFERRED;\n");
        if (isNew) transactions += 1;
      } else if (change?.kind === "relation")
        this.relations.set(change.relation.id, change.relation);
      else if (change?.kind === "commit") last = change.end;
      else if (change && isNew) {
        const sql = changeSql(change, this.relations, this.fixed);
        if (sql === undefined) continue;
        changes += 1;
        message = together(message, sql);
        if (message.length < MESSAGE_LENGTH) continue;
        await owner.write(`${message}\n`);
        message = "";
      }
    }
    if (last !== undefined && transactions > 0)
      await owner.run(`${message}\n${progressSql(last)} COMMIT;`);
    if (last !== undefined && release)
      await this.source.admin.run(`SELECT pg_replication_slot_advance(${SLOT}, ${literal(last)});`);
    return { changes, transactions, isAll: read < BATCH };
  }

  /** Messages of the log, some at a time: a single transaction may be more than this process can hold. */
  private async *read(): AsyncGenerator<string> {
    const { admin } = this.source;
    const fetch = `FETCH ${FETCH} FROM changes;`;
    let lines = await admin.run(
      `BEGIN; DECLARE changes NO SCROLL CURSOR FOR SELECT data
       FROM pg_logical_slot_peek_binary_changes(${SLOT}, NULL, ${BATCH}, 'proto_version', '1', 'publication_names', '${STREAM}'); ${fetch}`,
    );
    try {
      for (;;) {
        yield* lines;
        if (lines.length < FETCH) return;
        lines = await admin.run(fetch);
      }
    } finally {
      await admin.run("COMMIT;");
    }
  }

  /**
   * Advances until little is left, whatever the app writes meanwhile.
   *
   * @throws {Fault} when the target comes no nearer.
   */
  async catchUp({ onApplied, signal, patienceMs = Infinity }: CatchUp = {}): Promise<void> {
    let nearest = { bytes: Infinity, at: Date.now() };
    while (!signal?.aborted) {
      const started = Date.now();
      const applied = await this.advance(true);
      const ended = Date.now();
      const behind = Number(await this.source.admin.value(BEHIND));
      onApplied?.({ ...applied, behind });
      if (applied.isAll && ended - started < CLOSE_MS) return;
      if (behind < nearest.bytes) nearest = { bytes: behind, at: ended };
      if (ended - nearest.at > patienceMs) throw tooMuch(applied, behind, ended - started);
    }
  }

  /** Advances until the target has everything: for a source that nobody writes to. */
  async drain(): Promise<void> {
    while (!(await this.advance(false)).isAll) await this.advance(true);
  }
}

function tooMuch({ changes }: Applied, behind: number, ms: number): Fault {
  const rate = Math.round((changes * 1000) / ms).toLocaleString("en");
  return new Fault(
    `The app writes more than can be carried over: with ${rate} changes a second the target stays ${(behind / 2 ** 20).toFixed(1)} MiB of the log behind. ` +
      "The app goes on where it is. Give the command again when it writes less.",
  );
}

/** One message of two statements, for the server answers each message before psql sends another. @param first empty, or whole. */
const together = (first: string, second: string) =>
  // In the middle of a message psql wants another end.
  first === "" ? second : `${first.slice(0, -1)}\\;\n${second}`;

/** Compares places in the log. */
export function isBefore(a: string, b: string): boolean {
  return toNumber(a) < toNumber(b);
}

function toNumber(lsn: string): bigint {
  const [high = "0", low = "0"] = lsn.split("/");
  return (BigInt(`0x${high || 0}`) << 32n) + BigInt(`0x${low}`);
}

/** Tables whose changes are sent: everybody's but PostgreSQL's and ours. Partitions, not what they are partitions of. */
const TABLES = `
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '${OWN_SCHEMA}')
ORDER BY 1;`;

/** Makes the publication of every table there is, anew. */
export async function publish({ owner: source }: Side): Promise<void> {
  const tables = await source.run(TABLES);
  const list = tables.length > 0 ? ` FOR TABLE ${tables.join(", ")}` : "";
  await source.run(`DROP PUBLICATION IF EXISTS ${STREAM}; CREATE PUBLICATION ${STREAM}${list};`);
}

/** Removes everything of ours: what was copied is nobody's business but the app's from now on. */
export async function endSide(side: Side): Promise<void> {
  await forget(side);
  await side.owner.run(`DROP SCHEMA IF EXISTS ${OWN_SCHEMA} CASCADE;`);
}

/** Ends the stream on its source: nothing is kept in the log for it any longer. */
export async function forget({ admin, owner }: Side): Promise<void> {
  await admin.run(DROP_SLOT);
  await owner.run(`DROP PUBLICATION IF EXISTS ${STREAM};`);
}

const DROP_SLOT = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${SLOT};`;

/** A slot that keeps everything from now on. */
export const KEEP_CHANGES = `${DROP_SLOT} SELECT pg_create_logical_replication_slot(${SLOT}, 'pgoutput');`;

/** Removes what an unfinished attempt left. */
export const dropSlot = ({ admin }: Side) => admin.run(DROP_SLOT);

/** Statements that set the numbers that sequences have reached; replication does not carry them. */
export const sequences = ({ owner }: Side) =>
  owner.run(`
    SELECT format('SELECT setval(%L, %s);', format('%I.%I', schemaname, sequencename), last_value)
    FROM pg_sequences WHERE last_value IS NOT NULL AND schemaname <> '${OWN_SCHEMA}';`);

/** Statements for triggers of the user's own: they fire where the app writes, and nowhere else, for their effects are sent as changes. */
export const triggers = ({ owner }: Side, state: "ENABLE" | "DISABLE") =>
  owner.run(`
    SELECT DISTINCT format('ALTER TABLE %s ${state} TRIGGER USER;', t.tgrelid::regclass) FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND n.nspname !~ '^pg_' AND n.nspname <> '${OWN_SCHEMA}';`);

export async function setTriggers(side: Side, state: "ENABLE" | "DISABLE"): Promise<void> {
  const statements = await triggers(side, state);
  if (statements.length > 0) await side.owner.run(statements.join("\n"));
}

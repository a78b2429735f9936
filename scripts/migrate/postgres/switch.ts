/** The moment at which the app's writes go elsewhere. */
import { setTimeout as delay } from "node:timers/promises";
import { Fault } from "../../../local/fault";
import { literal } from "../names";
import type { Side } from "./side";
import {
  type ChangeStream,
  forget,
  KEEP_CHANGES,
  OWN_TABLES,
  progressSql,
  publish,
  sequences,
  setTriggers,
  triggers,
} from "./stream";

/** How long transactions may go on before they are ended; the app sees them fail then, and nothing of them is kept. */
const GRACE_MS = 1000;

/** How long an app that writes much is waited for to write less. */
const PATIENCE_MS = 60_000;

/** A connection pooler, or all of them, before the two servers. */
export interface Poolers {
  /** Whatever is needed to pause at a word. */
  open(): Promise<void>;
  /** New sessions wait from the moment at which it resolves. @returns a promise for the moment at which the last session has ended. */
  pause(): Promise<{ readonly empty: Promise<void> }>;
  /** Leads to the server that lets the app in, and lets sessions begin. */
  resume(): Promise<void>;
}

/** One database on both servers. */
export interface Pair {
  readonly source: Side;
  readonly target: Side;
  readonly stream: ChangeStream;
}

export interface Switched {
  /** From the last moment at which a session could begin to the next one. */
  readonly pauseMs: number;
  /** Sessions that were in a transaction when the time was over, and were ended. */
  readonly cut: number;
}

/**
 * Stops writes on the sources, has the targets catch up, keeps what comes after for the way back, and lets the app in there. Each
 * step may be done again: what was killed in the middle is ended by another call.
 */
export async function switchOver(pairs: readonly Pair[], poolers: Poolers): Promise<Switched> {
  const handOvers = await Promise.all(pairs.map(prepare));
  try {
    await poolers.open();
    const started = Date.now();
    const { empty } = await poolers.pause();
    // When a step before it fails, nobody waits for it any longer.
    empty.catch(() => undefined);
    const counts = await Promise.all(pairs.map(fence));
    await empty;
    await Promise.all(handOvers.map((handOver) => handOver()));
    await poolers.resume();
    const pauseMs = Date.now() - started;
    await retire(pairs);
    return { pauseMs, cut: counts.reduce((sum, cut) => sum + cut, 0) };
  } catch (error) {
    // Whichever server is the one that lets the app in: the poolers find it.
    await reopen(pairs).catch(() => undefined);
    await poolers.resume().catch(() => undefined);
    throw error;
  }
}

/**
 * From here on no session of the app can write to the source, or begin there.
 *
 * @returns how many had to be cut.
 * @throws {Fault} naming them, where they are not ours to end.
 */
async function fence({ source: { admin, gate } }: Pair): Promise<number> {
  await admin.run(gate.shut);
  const since = literal(await admin.value("SELECT clock_timestamp();"));
  // What began later found the gate shut.
  const theirs = `FROM pg_stat_activity WHERE ${gate.sessions} AND backend_start <= ${since}`;
  const end = Date.now() + GRACE_MS;
  for (;;) {
    // Between two statements outside of a transaction nothing can be lost.
    if (gate.endsSessions)
      await admin.run(`SELECT pg_terminate_backend(pid) ${theirs} AND state = 'idle';`);
    const left = Number(await admin.value(`SELECT count(*) ${theirs};`));
    if (left === 0) return 0;
    if (Date.now() > end) {
      if (!gate.endsSessions) throw await stillThere(admin, theirs);
      await admin.run(`SELECT pg_terminate_backend(pid, 5000) ${theirs};`);
      return left;
    }
    await delay(10);
  }
}

async function stillThere(admin: Side["admin"], theirs: string): Promise<Fault> {
  const sessions = await admin.run(
    `SELECT format('%s of %s from %s', coalesce(nullif(application_name, ''), 'a session'), usename, coalesce(host(client_addr), 'the same machine')) ${theirs} ORDER BY 1 LIMIT 5;`,
  );
  return new Fault(
    `Somebody is still connected to the source, and might write: ${sessions.join(", ")}. Stop it, then give the command again. The source takes writes as before.`,
  );
}

/** What can be done before the pause. @returns what is left to do in it: as few words with the servers as can be. */
async function prepare({ source, target, stream }: Pair): Promise<() => Promise<void>> {
  await setTriggers(target, "DISABLE");
  const enable = await triggers(target, "ENABLE");
  await publish(target);
  // For the way back, whose log is another one.
  await source.owner.run(`${OWN_TABLES} ${progressSql("0/0")}`);
  await stream.catchUp({ patienceMs: PATIENCE_MS });
  return async () => {
    const [numbers] = await Promise.all([sequences(source), stream.drain()]);
    await target.owner.run([...numbers, ...enable].join("\n"));
    // Before the app's first write: from here on everything is kept for the way back.
    await target.admin.run(`${KEEP_CHANGES} ${target.gate.open}`);
  };
}

/** After a failure: where the target was not opened, the source is again. */
async function reopen(pairs: readonly Pair[]): Promise<void> {
  for (const { source, target } of pairs) {
    if (await isOpen(target)) continue;
    await setTriggers(source, "ENABLE");
    await source.admin.run(source.gate.open);
  }
}

/** Whether the app may write there. */
export const isOpen = async ({ admin, gate }: Side) => (await admin.value(gate.isOpen)) === "t";

/** What is left to do on sources once their targets let the app in; may be done again. */
export async function retire(pairs: readonly Pair[]): Promise<void> {
  for (const { source } of pairs) {
    await setTriggers(source, "DISABLE");
    await forget(source);
  }
}

/** The moment at which the app's writes go elsewhere. */
import { setTimeout as delay } from "node:timers/promises";
import { literal } from "../names";
import type { Side } from "./side";
import {
  type ChangeStream,
  fenceSql,
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
  /** The app's user, and the tables' owner. */
  readonly role: string;
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
    for (const { source } of pairs) {
      await setTriggers(source, "DISABLE");
      await forget(source);
    }
    return { pauseMs, cut: counts.reduce((sum, cut) => sum + cut, 0) };
  } catch (error) {
    // Whichever server is the one that lets the app in: the poolers find it.
    await reopen(pairs).catch(() => undefined);
    await poolers.resume().catch(() => undefined);
    throw error;
  }
}

/** From here on no session of the app can write to the source, or begin there. @returns how many had to be cut. */
async function fence({ role, source: { admin: source } }: Pair): Promise<number> {
  await source.run(fenceSql(role, false));
  const own = `usename = ${literal(role)} AND datname = current_database() AND pid <> pg_backend_pid()`;
  const end = Date.now() + GRACE_MS;
  for (;;) {
    // Between two statements outside of a transaction nothing can be lost.
    const lines = await source.run(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${own} AND state = 'idle';
       SELECT count(*) FROM pg_stat_activity WHERE ${own};`,
    );
    const left = Number(lines.at(-1));
    if (left === 0) return 0;
    if (Date.now() > end) {
      await source.run(
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE ${own};`,
      );
      return left;
    }
    await delay(10);
  }
}

/** What can be done before the pause. @returns what is left to do in it: as few words with the servers as can be. */
async function prepare({ role, source, target, stream }: Pair): Promise<() => Promise<void>> {
  await setTriggers(target, "DISABLE");
  const enable = await triggers(target, "ENABLE");
  await publish(target);
  // For the way back, whose log is another one.
  await source.owner.run(`${OWN_TABLES} ${progressSql("0/0")}`);
  await stream.catchUp();
  return async () => {
    const [numbers] = await Promise.all([sequences(source), stream.drain()]);
    await target.owner.run([...numbers, ...enable].join("\n"));
    // Before the app's first write: from here on everything is kept for the way back.
    await target.admin.run(`${KEEP_CHANGES} ${fenceSql(role, true)}`);
  };
}

/** After a failure: where the target was not opened, the source is again. */
async function reopen(pairs: readonly Pair[]): Promise<void> {
  for (const { role, source, target } of pairs) {
    const isOpen = await target.admin.value(
      `SELECT rolcanlogin FROM pg_roles WHERE rolname = ${literal(role)};`,
    );
    if (isOpen === "t") continue;
    await setTriggers(source, "ENABLE");
    await source.admin.run(fenceSql(role, true));
  }
}

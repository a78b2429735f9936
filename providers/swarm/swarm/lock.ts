import type { Context } from "../protocol/resource";
import { messageOf, WaitTimeout, type Attempt } from "../wait";
import type { Note } from "./engine";
import { persist } from "./failures";
import { describeOwner, hasEnded } from "./owner";
import type { Swarm } from "./swarm";

/**
 * One process at a time changes who is in the swarm. The lock is a swarm config: its labels can be changed by whoever
 * read the current version and by nobody else. The holder renews it; one that was not renewed for `STALE_SECONDS`, by the clock
 * of the one who waits, or whose process ended on this machine, is taken over.
 */
const NAME = "archipelago-lock";
const BEAT_SECONDS = 5;
const STALE_SECONDS = 30;

/** A leave waits for tasks to move; several of them may be ahead. */
const WAIT_SECONDS = 900;

/** An election, or managers that are restarted, take no longer. */
const MANAGER_SECONDS = 120;

const LABELS = {
  owner: "archipelago.owner",
  purpose: "archipelago.purpose",
  beat: "archipelago.beat",
  /** Join tokens were read since they were rotated last. */
  tokens: "archipelago.tokens-read",
} as const;

/** What the holder of the lock may do. */
export interface Held {
  /** Ends when the lock is lost, as well as when the engine cancels. */
  readonly context: Context;
  /** Join tokens were read by a process that did not live to rotate them. */
  readonly tokensRead: boolean;
  setTokensRead(read: boolean): Promise<void>;
}

/**
 * Does `work` while nobody else, in this process or any other, changes the membership of the swarm.
 *
 * @param purpose for whoever waits meanwhile: `worker-2 leaves`.
 * @throws {Error} when another process holds the lock for 15 minutes.
 */
export function withLock<T>(
  swarm: Swarm,
  purpose: string,
  context: Context,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  return swarm.turns.take(async () => {
    const lock = new Lock(swarm, purpose, context);
    await lock.acquire();
    try {
      return await work(lock.held);
    } finally {
      await lock.release();
    }
  });
}

class Lock {
  private note: Note | undefined;
  private readonly released = new AbortController();
  private changing: Promise<void> = Promise.resolve();
  private renewed = 0;
  private readonly lost = new AbortController();
  private readonly context: Context;

  constructor(
    private readonly swarm: Swarm,
    private readonly purpose: string,
    private readonly outer: Context,
  ) {
    this.context = { ...outer, signal: AbortSignal.any([outer.signal, this.lost.signal]) };
  }

  get held(): Held {
    return {
      context: this.context,
      tokensRead: this.note?.labels[LABELS.tokens] === "yes",
      setTokensRead: (read) => this.change({ [LABELS.tokens]: read ? "yes" : "no" }),
    };
  }

  async acquire(): Promise<void> {
    const { clock } = this.outer;
    await persist("a living manager", MANAGER_SECONDS, this.outer, async () => ({
      done: await this.swarm.reach.manager(this.outer),
    }));
    const watched = { version: -1, since: clock.now() };
    try {
      this.note = await persist(
        "the lock of the swarm",
        WAIT_SECONDS,
        this.outer,
        async (): Promise<Attempt<Note>> => {
          const manager = await this.swarm.reach.manager(this.outer);
          const note = await manager.note(NAME);
          if (note && note.version !== watched.version) {
            Object.assign(watched, { version: note.version, since: clock.now() });
          }
          const holder = note && this.holderOf(note, watched.since);
          if (holder) return { pending: holder };
          if (note) await manager.updateNote(note, this.labels(note));
          else await manager.createNote(NAME, this.labels());
          const mine = await manager.note(NAME);
          return mine?.labels[LABELS.owner] === this.swarm.owner
            ? { done: mine }
            : { pending: "somebody else was faster" };
        },
      );
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new Error(`${error.message}. Run again when that has ended`, { cause: error });
    }
    this.renewed = clock.now();
    void this.keepBeating();
  }

  async release(): Promise<void> {
    this.released.abort();
    await this.changing;
    if (this.lost.signal.aborted) return;
    try {
      await this.change({ [LABELS.owner]: "", [LABELS.purpose]: "" });
    } catch (error) {
      // It becomes stale by itself; the swarm may have ended with its last node.
      this.outer.log.status(`the lock of the swarm was not given back: ${messageOf(error)}`);
    }
  }

  /** Who else has the lock, and what for. */
  private holderOf({ labels }: Note, unchangedSince: number): string | undefined {
    const owner = labels[LABELS.owner] ?? "";
    if (owner === "" || owner === this.swarm.owner || hasEnded(owner)) return undefined;
    if (this.outer.clock.now() - unchangedSince >= STALE_SECONDS * 1000) {
      this.outer.log.warn(`${describeOwner(owner)} does not renew its lock any more: taken over`);
      return undefined;
    }
    return `${describeOwner(owner)} is at work: ${labels[LABELS.purpose] ?? ""}`;
  }

  private labels(note?: Note): Record<string, string> {
    return {
      ...note?.labels,
      [LABELS.owner]: this.swarm.owner,
      [LABELS.purpose]: this.purpose,
      [LABELS.beat]: String(Number(note?.labels[LABELS.beat] ?? 0) + 1),
    };
  }

  private async keepBeating(): Promise<void> {
    const ended = AbortSignal.any([this.released.signal, this.lost.signal]);
    while (!ended.aborted) {
      await this.outer.clock.sleep(BEAT_SECONDS * 1000, ended).catch(() => undefined);
      if (!ended.aborted) await this.beat();
    }
  }

  private async beat(): Promise<void> {
    try {
      await this.change({});
    } catch (error) {
      const late = this.outer.clock.now() - this.renewed >= STALE_SECONDS * 1000;
      if (late || error instanceof LockLost) this.lost.abort(error);
    }
  }

  /** Changes labels of the lock that is held, one change at a time. */
  private change(labels: Record<string, string>): Promise<void> {
    const turn = this.changing.then(async () => {
      const manager = await this.swarm.reach.manager(this.outer);
      const note = await manager.note(NAME);
      if (note?.labels[LABELS.owner] !== this.swarm.owner) {
        throw new LockLost("the lock of the swarm was taken over by somebody else");
      }
      await manager.updateNote(note, { ...this.labels(note), ...labels });
      this.renewed = this.outer.clock.now();
    });
    this.changing = turn.catch(() => undefined);
    return turn;
  }
}

class LockLost extends Error {
  override readonly name = "LockLost";
}

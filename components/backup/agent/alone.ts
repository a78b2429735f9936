import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "./context";
import type { Event, Tell } from "./progress";

const PERIOD_MS = 500;

/** What one process at a time does in this container. */
export interface Turn {
  /** Directory that stands for the right to work. */
  readonly lock: string;
  /** For who waits. */
  readonly waits: string;
  /** For who waits no longer. */
  readonly busy: string;
  /** How long it waits for whoever is at work, and tells what that one tells. */
  readonly seconds: number;
}

/** The stack's own. */
export const BACKUP: Turn = {
  lock: "/tmp/archipelago-backup.lock",
  waits:
    "The stack is making a backup by itself. Yours comes after it, so that it has what is there now.",
  busy: "a backup is being made already",
  seconds: 0,
};

/** An operator's. */
export const ASKED_BACKUP: Turn = { ...BACKUP, seconds: Infinity };

/** One whose operator's command was killed clears up what it made, which has the names of what the next one makes. */
export const RESTORE: Turn = {
  lock: "/tmp/archipelago-restore.lock",
  waits: "An earlier restore is ending. Yours comes after it.",
  busy: "another restore is at work: yours may be typed again when that one has ended",
  seconds: 60,
};

/**
 * One task at a time. A lock whose holder is gone counts for nothing.
 *
 * @throws {Error} when another one is at work for longer than this one waits.
 */
export async function alone<T>(
  context: Context,
  task: (context: Context) => Promise<T>,
  turn: Turn,
): Promise<T> {
  const { lock } = turn;
  await take(turn, context);
  const events = path.join(lock, "events");
  const tell: Tell = (event) => {
    context.tell(event);
    appendFileSync(events, `${JSON.stringify(event)}\n`);
  };
  try {
    return await task({ ...context, tell });
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

async function take({ lock, waits, busy, seconds }: Turn, { tell, signal }: Context) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const own = mkdtempSync(`${lock}.`);
    writeFileSync(path.join(own, "pid"), String(process.pid));
    try {
      // With its holder's number in it from the first moment: a directory that has something in it is not replaced.
      return renameSync(own, lock);
    } catch {
      rmSync(own, { recursive: true, force: true });
      const holder = holderOf(lock);
      if (holder === undefined) rmSync(lock, { recursive: true, force: true });
      else if (Date.now() >= deadline) throw new Error(busy);
      else {
        tell({ event: "note", text: waits });
        await follow(lock, holder, deadline, tell, signal);
      }
    }
  }
}

/** @returns the process that holds a lock; undefined when there is none any more. */
function holderOf(lock: string): number | undefined {
  try {
    const holder = Number(readFileSync(path.join(lock, "pid"), "utf8"));
    process.kill(holder, 0);
    return holder > 0 ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Tells what the holder of a lock tells, until it holds it no longer. */
async function follow(
  lock: string,
  holder: number,
  deadline: number,
  tell: Tell,
  signal: AbortSignal,
) {
  let read = 0;
  let rest = "";
  while (holderOf(lock) === holder && Date.now() < deadline) {
    const text = textFrom(path.join(lock, "events"), read);
    read += text.length;
    const lines = (rest + text.toString()).split("\n");
    rest = lines.pop() ?? "";
    // What is done there is not what was asked for here.
    for (const event of lines.map((line) => JSON.parse(line) as Event)) {
      if (event.event !== "done") tell(event);
    }
    await sleep(PERIOD_MS, undefined, { signal });
  }
}

function textFrom(file: string, start: number): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const buffer = Buffer.alloc(64 * 1024);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, start));
  } catch {
    // Not begun, or done.
    return Buffer.alloc(0);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

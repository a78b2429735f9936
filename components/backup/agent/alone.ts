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

const LOCK = "/tmp/archipelago-backup.lock";
const PERIOD_MS = 500;

export interface AloneOptions {
  /** Wait for whoever is at work, and tell what that one tells; else it is an error. @default false */
  readonly wait?: boolean;
  /** Directory that stands for the right to work. @default one for this container */
  readonly lock?: string;
}

/**
 * One task at a time in this container. A lock whose holder is gone counts for nothing.
 *
 * @throws {Error} when another one is at work, and this one does not wait.
 */
export async function alone<T>(
  context: Context,
  task: (context: Context) => Promise<T>,
  { wait = false, lock = LOCK }: AloneOptions = {},
): Promise<T> {
  await take(lock, wait, context);
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

async function take(lock: string, wait: boolean, { tell, signal }: Context): Promise<void> {
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
      else if (!wait) throw new Error("a backup is being made already");
      else {
        tell({
          event: "note",
          text: "The stack is making a backup by itself. Yours comes after it, so that it has what is there now.",
        });
        await follow(lock, holder, tell, signal);
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
async function follow(lock: string, holder: number, tell: Tell, signal: AbortSignal) {
  let read = 0;
  let rest = "";
  while (holderOf(lock) === holder) {
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

import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Cron } from "croner";
import { ALIVE_FILE, type BackupSettings, SETTINGS_FILE } from "../settings";
import { alone, ASKED_BACKUP, BACKUP } from "./alone";
import { type Asked, restoreAsked } from "./asked";
import { copyWal } from "./base";
import { type Context, within } from "./context";
import { dueIn } from "./due";
import { list } from "./list";
import { markLog } from "./log-mark";
import { type Event, messageOf } from "./progress";
import { beginArchive, run } from "./run";

const PERIOD_MS = 5000;
/** After a failure, and twice as long after each backup that failed: a dump that no place takes is work for nothing. */
const RETRY_MS = 15 * 60_000;
const LONGEST_RETRY_MS = 4 * 3_600_000;
/** How far the second place's archive may be behind. */
const FORWARD_MS = 60_000;
/** Between marks in a server's log. */
const MARK_MS = 3_600_000;

/** JSON lines on standard output: a log of the service, and what an operator's command reads. */
function tell(event: Event): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
}

async function main(): Promise<void> {
  // Who follows may go away.
  process.stdout.on("error", () => undefined);
  const [, mode = "serve"] = process.argv;
  const settings = JSON.parse(readFileSync(SETTINGS_FILE, "utf8")) as BackupSettings;
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const use = <T>(task: (context: Context) => Promise<T>) =>
    within(settings, { tell, signal: stop.signal }, task);
  switch (mode) {
    case "run":
      return use((context) => alone(context, run, ASKED_BACKUP));
    case "list":
      return use(async (context) => {
        if (!(await list(context))) process.exitCode = 1;
      });
    case "restore":
      // Its input stays open: read on, it would keep a restore that failed from ending.
      return use(restore(stop)).finally(() => process.stdin.destroy());
    default:
      return serve(settings, use, stop.signal);
  }
}

/** What to restore, and the key, come by standard input; when that ends, so does the restore. */
const restore = (stop: AbortController) => async (context: Context) => {
  const lines = linesOf(process.stdin, () =>
    stop.abort(new Error("the operator's command is gone")),
  );
  const request = requestIn(await lines.next());
  await restoreAsked(context, request, () => lines.next());
};

/** @throws {Error} that does not repeat it: the key is in it. */
function requestIn(line: string): Asked {
  try {
    return JSON.parse(line) as Asked;
  } catch {
    throw new Error("the request is not JSON");
  }
}

/** Lines of a stream, one when it is asked for. */
function linesOf(stream: NodeJS.ReadStream, ended: () => void): { next(): Promise<string> } {
  const waiting: { done: (line: string) => void; failed: (error: Error) => void }[] = [];
  const lines: string[] = [];
  createInterface({ input: stream })
    .on("line", (line) => {
      const first = waiting.shift();
      if (first) first.done(line);
      else lines.push(line);
    })
    .once("close", () => {
      for (const { failed } of waiting) failed(new Error("the operator's command is gone"));
    });
  stream.once("end", ended);
  return {
    next: () =>
      new Promise((done, failed) => {
        const line = lines.shift();
        if (line === undefined) waiting.push({ done, failed });
        else done(line);
      }),
  };
}

/** Makes backups when they are due. What was missed is made up for, and what failed is tried again. */
async function serve(
  settings: BackupSettings,
  use: (task: (context: Context) => Promise<void>) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const cron = new Cron(settings.schedule, { paused: true, timezone: "UTC" });
  let notBefore = 0;
  let retry = RETRY_MS;
  let nextForward = 0;
  let nextMark = 0;
  while (!signal.aborted) {
    writeFileSync(ALIVE_FILE, "");
    if (Date.now() >= notBefore) {
      let isTried = false;
      try {
        await use(async (context) => {
          const { stores, away } = await dueIn(context, cron.previousRuns(1, context.now())[0]);
          const own = { ...context, stores };
          isTried = stores.length > 0;
          if (isTried) await alone(own, (inTurn) => run(inTurn, away), BACKUP);
          else if (away.length > 0) throw new Error(away.join("\n"));
          else await alone(context, beginArchive, BACKUP);
        });
        retry = RETRY_MS;
        notBefore = cron.nextRun()?.getTime() ?? Date.now() + RETRY_MS;
      } catch (error) {
        tell({ event: "failed", text: messageOf(error) });
        notBefore = Math.min(Date.now() + retry, cron.nextRun()?.getTime() ?? Infinity);
        retry = isTried ? Math.min(2 * retry, LONGEST_RETRY_MS) : RETRY_MS;
      }
    }
    if (Date.now() >= nextForward) {
      nextForward = Date.now() + FORWARD_MS;
      await use(forward).catch((error: unknown) => {
        tell({ event: "failed", text: `the log for the second place: ${messageOf(error)}` });
      });
    }
    if (settings.server?.kind === "container" && Date.now() >= nextMark) {
      nextMark = Date.now() + MARK_MS;
      await markLog(settings.server).catch((error: unknown) => {
        tell({ event: "failed", text: `a mark in the server's log: ${messageOf(error)}` });
      });
    }
    await sleep(PERIOD_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What the server archives in the first place goes on to the second. */
async function forward(context: Context): Promise<void> {
  const [first, second] = context.stores;
  if (context.settings.server?.kind === "container" && first && second) {
    await copyWal(context, first, second);
  }
}

main().catch((error: unknown) => {
  tell({ event: "failed", text: messageOf(error) });
  process.exitCode = 1;
});

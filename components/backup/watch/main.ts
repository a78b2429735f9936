import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../webhook";
import { MEMORY } from "../agent/context";
import { Store } from "../agent/store";
import { ALIVE_FILE } from "../settings";
import { WATCH_SETTINGS_FILE, WATCH_STATE, type WatchSettings } from "../watch-settings";
import { channelsOf } from "./channels";
import { look } from "./look";
import { type Log, Watcher } from "./watcher";

const LOOK_MS = 10 * 60_000;

/** JSON lines on standard output: a log of the service, and what an operator's command reads. */
const log: Log = (event, details) =>
  void process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), event, ...details })}\n`,
  );

async function main(): Promise<void> {
  // Who follows may go away.
  process.stdout.on("error", () => undefined);
  const [, mode = "serve"] = process.argv;
  const settings = JSON.parse(readFileSync(WATCH_SETTINGS_FILE, "utf8")) as WatchSettings;
  if (mode === "test") return test(settings);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  await serve(settings, stop.signal);
}

async function serve(settings: WatchSettings, stop: AbortSignal): Promise<void> {
  const channels = channelsOf(settings.stack, settings.alarm);
  const watcher = new Watcher(path.join(WATCH_STATE, "incidents.json"), channels, log);
  writeFileSync(ALIVE_FILE, "");
  while (!stop.aborted) {
    // A place that hangs is one that cannot be read.
    const signal = AbortSignal.any([stop, AbortSignal.timeout(LOOK_MS)]);
    const secrets = mkdtempSync(path.join(MEMORY, "archipelago-watch-"));
    try {
      const now = new Date();
      const seen = await look(settings, Store.openAll(settings, secrets, signal), now);
      if (stop.aborted) return;
      log("looked", { problems: seen.problems.length });
      await watcher.heed(seen, now);
    } finally {
      rmSync(secrets, { recursive: true, force: true });
    }
    await sleep(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Tells everybody that it is a test. */
async function test({ stack, alarm }: WatchSettings): Promise<void> {
  await Promise.all(
    channelsOf(stack, alarm).map(async ({ name, send }) => {
      try {
        await send({ kind: "test", problems: [], ended: [] });
        log("done", { channel: name });
      } catch (error) {
        log("failed", { channel: name, text: `${name}: ${reasonOf(error)}` });
        process.exitCode = 1;
      }
    }),
  );
}

main().catch((error: unknown) => {
  log("failed", { text: reasonOf(error) });
  process.exitCode = 1;
});

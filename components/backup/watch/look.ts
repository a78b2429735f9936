import { z } from "zod";
import { backupsIn, readManifest } from "../agent/catalogue";
import { textOf } from "../agent/flow";
import { directoryOf } from "../agent/manifest";
import { Damaged } from "../agent/read-manifest";
import type { Store } from "../agent/store";
import type { WatchSettings } from "../watch-settings";

/** Something that is not as it should be. */
export interface Problem {
  /** Tells one from another over time: `first.backup`. */
  readonly name: string;
  readonly says: string;
  /** As long as it may last before anybody is told. */
  readonly settleMinutes: number;
}

export interface Seen {
  readonly problems: readonly Problem[];
  /** Of these nothing else is known: what was wrong before may still be. */
  readonly unreachable: readonly string[];
}

const HOUR_MS = 3_600_000;

/** The agent writes a mark into the log every hour, and what the server archives is in both places minutes later. */
const MAX_LOG_AGE_HOURS = 2;

/** A first backup takes its time. */
const FIRST_MINUTES = 120;
/** What was missed while a node was off is made up for at once. */
const LATE_MINUTES = 15;
/** Networks have their moments. */
const UNREACHABLE_MINUTES = 30;

/** Looks into every place with nothing but its login: what the agent says of itself is not asked. */
export async function look(
  settings: Omit<WatchSettings, "alarm">,
  stores: readonly Store[],
  now: Date,
): Promise<Seen> {
  const unreachable: string[] = [];
  const found = await Promise.all(
    stores.map(async (store): Promise<Problem[]> => {
      try {
        const backup = await backupProblem(settings, store, now);
        const log = settings.log ? await logProblem(store, now) : undefined;
        return [backup, log].filter((problem) => problem !== undefined);
      } catch (error) {
        unreachable.push(store.name);
        return [
          {
            name: `${store.name}.unreachable`,
            says: `the ${store.name} place cannot be read: ${lastLine(error)}`,
            settleMinutes: UNREACHABLE_MINUTES,
          },
        ];
      }
    }),
  );
  return { problems: found.flat(), unreachable };
}

async function backupProblem(
  { maxAgeHours }: Pick<WatchSettings, "maxAgeHours">,
  store: Store,
  now: Date,
): Promise<Problem | undefined> {
  const problem = (says: string, settleMinutes = 0) => ({
    name: `${store.name}.backup`,
    says: `${says} in the ${store.name} place`,
    settleMinutes,
  });
  const [newest] = await backupsIn(store);
  if (newest === undefined) return problem("there is no backup", FIRST_MINUTES);
  const [id, time] = newest;
  const hours = (now.getTime() - time.getTime()) / HOUR_MS;
  if (hours > maxAgeHours) {
    const age = `${hours.toFixed(1)} h old instead of ${maxAgeHours} h at most`;
    return problem(`the newest backup is ${age} (${id})`, LATE_MINUTES);
  }
  const manifest = await readManifest(store, id).catch((error: unknown) => {
    if (error instanceof Damaged) return undefined;
    throw error;
  });
  if (manifest === undefined) return problem(`the manifest of backup ${id} is damaged`);
  const stored = await store.list(directoryOf(id));
  const sizes = new Map(stored.map(({ path, bytes }) => [path, bytes]));
  const bad = manifest.parts.find(
    ({ file, bytes }) => sizes.get(`${directoryOf(id)}/${file}`) !== bytes,
  );
  return bad && problem(`${bad.file} of backup ${id} is missing or has another size`);
}

async function logProblem(store: Store, now: Date): Promise<Problem | undefined> {
  const problem = (says: string, settleMinutes: number) => ({
    name: `${store.name}.log`,
    says: `${says} in the ${store.name} place`,
    settleMinutes,
  });
  const newest = await newestLog(store);
  if (newest === undefined) return problem("there is nothing of the database's log", FIRST_MINUTES);
  const hours = (now.getTime() - newest.getTime()) / HOUR_MS;
  if (hours <= MAX_LOG_AGE_HOURS) return undefined;
  return problem(
    `the newest file of the database's log is ${hours.toFixed(1)} h old, though one is written every hour`,
    LATE_MINUTES,
  );
}

const listing = z.array(z.object({ ModTime: z.string() }));

/** When a place got its newest file of a server's log, by its own clock. */
async function newestLog(store: Store): Promise<Date | undefined> {
  // The time of upload: no other one is kept, and asking for it would take a request for each file.
  const command = store.rclone(
    "lsjson",
    "-R",
    "--files-only",
    "--no-mimetype",
    "--use-server-modtime",
    "--include",
    "wal/**",
    store.at(""),
  );
  const files = listing.parse(JSON.parse(await textOf(command)));
  // Weeks of a busy server's log are more files than a call may have arguments.
  const newest = files.reduce((last, { ModTime }) => Math.max(last, Date.parse(ModTime)), 0);
  return files.length === 0 ? undefined : new Date(newest);
}

const LINE_LENGTH = 300;

const lastLine = (error: unknown) =>
  (error instanceof Error ? error.message : "no reason given")
    .trim()
    .split("\n")
    .at(-1)
    ?.slice(0, LINE_LENGTH) ?? "";

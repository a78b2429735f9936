import { chownSync, mkdirSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import * as path from "node:path";
import type { ContainerServer } from "../settings";
import { type Access, socketOf } from "./access";
import { restoreCommand } from "./beside";
import {
  type Base,
  type Bases,
  basesIn,
  missingWal,
  systemOf,
  unpackBase,
  walDirectory,
  walIn,
} from "./base";
import { type Context, decompress, decrypt } from "./context";
import { copyFor } from "./copies";
import { flow } from "./flow";
import { idOf } from "./manifest";
import { Measure } from "./measure";
import { askOnce, literal } from "./postgres";
import { privateDirectory } from "./private";
import { bytesOf } from "./progress";
import { replay, writeScripts } from "./replay";
import {
  bringBack,
  mustOpen,
  type Origin,
  type RestoreRequest,
  storeOf,
  tablesOf,
} from "./restore";
import { elsewhere, type Store } from "./store";

const GIB = 2 ** 30;

export interface MomentRequest extends RestoreRequest {
  /** Of which server, where the place has what several archived. @default see `copyFor` */
  readonly system?: string | undefined;
}

/**
 * Brings databases back as they were at a moment: a server beside the running one replays the archived log on a copy of the
 * files, and what it has then is brought over as from a backup. The running server goes on until names are swapped.
 *
 * @param moment ISO 8601, or `end` for all that was archived.
 */
export async function recoverDatabases(
  context: Context,
  server: ContainerServer,
  moment: string,
  request: MomentRequest,
): Promise<Record<string, unknown>> {
  const { tell, secrets } = context;
  const store = storeOf(context, request.from);
  const bases = await basesIn(store).catch((error: unknown) => {
    context.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : "no reason given";
    throw new Error(`the ${store.name} place cannot be read: ${reason}\n${remedyFor(store)}`);
  });
  const made = await chooseBase(store, bases, server, moment, request.system);
  mustOpen(`the copy of ${made.finishedAt}`, made.recipient, request.identity);
  await mustReach(store, made, moment);
  await mustFitBeside(server, made);
  const what = moment === "end" ? `all that was archived` : `the state of ${moment}`;
  if (request.dryRun) {
    return {
      dryRun: true,
      what,
      databases: request.into ? [request.into] : server.databases,
      ...{ server: made.system, copiedAt: made.finishedAt, bytes: made.originalBytes },
    };
  }
  for (const { damaged } of newerThan(made, bases, moment)) {
    const text = `${damaged.message}\nThe copy of ${made.finishedAt} is taken, and more of the log.`;
    tell({ event: "note", text });
  }
  const directory = path.join(server.directory, "recovery");
  // Not below `secrets`, which no other user may enter.
  const side = privateDirectory(path.dirname(secrets), "archipelago-recovery");
  const { as } = socketOf(server);
  const scripts = writeScripts(store, made, request.identity, side);
  // A recovery that was killed left it; nothing else uses the name. What it had started may be ending still.
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  mkdirSync(directory, { mode: 0o700 });
  for (const file of [directory, side, ...scripts.files]) chownSync(file, as.uid, as.gid);
  try {
    await unpackBase(context, store, made, [decrypt(scripts.identity), decompress], {
      command: ["tar", "-x", "-C", directory],
      as,
    });
    tell({ event: "begins", what: `the log up to ${moment}` });
    const beside = await replay(context, { directory, side, as, fetch: scripts.fetch, moment });
    try {
      const origin = await originOf(context, server, request, {
        what,
        made,
        access: beside.access,
        moment,
      });
      return { from: store.name, ...(await bringBack(context, server, origin, request)) };
    } finally {
      await beside.stop();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
    rmSync(side, { recursive: true, force: true });
  }
}

/** @throws {Error} when the log has a hole on the way to its end. A moment before the hole can be reached all the same. */
export async function mustReach(store: Store, made: Base, moment: string): Promise<void> {
  const gap = missingWal(await walIn(store, made.system), made.startWal);
  if (gap === undefined || moment !== "end") return;
  throw new Error(
    `${walDirectory(made.system)}/${gap}.zst.age is missing in the ${store.name} place: what came after it cannot be restored; ${elsewhere(store)}`,
  );
}

/**
 * The newest copy of the files from before the moment. `end` means the end of what the server before the running one archived,
 * where there was one: that is what is missed after a loss.
 */
async function chooseBase(
  store: Store,
  bases: Bases,
  server: ContainerServer,
  moment: string,
  system: string | undefined,
): Promise<Base> {
  if (moment !== "end" || system !== undefined) return copyFor(store, bases, moment, system);
  const running = await systemOf(server);
  const isLost = (one: { readonly system: string }) => one.system !== running;
  const lost = { whole: bases.whole.filter(isLost), damaged: bases.damaged.filter(isLost) };
  const isLoss = lost.whole.length + lost.damaged.length > 0;
  return copyFor(store, isLoss ? lost : bases, moment, undefined);
}

/** Damaged copies that would have been taken instead of the chosen one. */
const newerThan = ({ system, id }: Base, { damaged }: Bases, moment: string) =>
  damaged.filter(
    (one) =>
      one.system === system &&
      one.id > id &&
      (moment === "end" || one.id <= idOf(new Date(moment))),
  );

/** A place that is away may come back, with more than what had been copied to the other one: nobody but the operator can choose. */
const remedyFor = (store: Store) =>
  store.name === "first"
    ? "again when it answers, or --from second: what was archived last may not have been copied there"
    : `again when it answers, or ${elsewhere(store)}`;

/** The copy of the files, the log that is replayed on it, and what is brought over. */
async function mustFitBeside(server: ContainerServer, { originalBytes }: Base): Promise<void> {
  const needed = originalBytes * 2.2 + Math.min(originalBytes, GIB);
  const { bavail, bsize } = await statfs(server.directory);
  if (bavail * bsize >= needed) return;
  const gib = (count: number) => `${(count / GIB).toFixed(2)} GiB`;
  throw new Error(
    `not enough room: a recovery needs ${gib(needed)} beside the running server, and ${gib(bavail * bsize)} are free; ` +
      "raise archipelago:database.volumeGib and run `up`, or drop databases that an earlier restore kept",
  );
}

async function originOf(
  { tell, signal }: Context,
  server: ContainerServer,
  { database }: RestoreRequest,
  { what, made, access, moment }: { what: string; made: Base; access: Access; moment: string },
): Promise<Origin> {
  const there = await askOnce(access, "postgres", "SELECT datname FROM pg_database");
  const databases = (database === undefined ? server.databases : [database]).filter((name) =>
    there.includes(name),
  );
  if (databases.length === 0) throw new Error(`there was no database ${database ?? ""} then`);
  const sizes = await askOnce(
    access,
    "postgres",
    `SELECT sum(pg_database_size(datname)) FROM pg_database WHERE datname IN (${databases.map(literal).join(", ")})`,
  );
  return {
    what,
    label: `${moment.replace(/\W/g, "").toLowerCase()}_${made.system}`.slice(0, 30),
    databases,
    bytes: Number(sizes[0]),
    fill: async (name, beside) => {
      const step = `database ${name}`;
      tell({ event: "begins", what: step, total: Number(sizes[0]) });
      const dump = { command: ["pg_dump", "-Fc", "-Z0", "-d", name] as const, ...access };
      await flow(
        { ...dump, command: [...dump.command] },
        [new Measure(bytesOf(step, tell))],
        restoreCommand(socketOf(server), beside),
        signal,
      );
      return tablesOf(access, name);
    },
  };
}

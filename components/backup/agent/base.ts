import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ContainerServer } from "../settings";
import { socketOf } from "./access";
import { compress, type Context, encrypt } from "./context";
import { flow, textOf } from "./flow";
import { idOf, timeOf } from "./manifest";
import { Measure } from "./measure";
import { askOnce } from "./postgres";
import { bytesOf } from "./progress";
import { Damaged, manifestAt } from "./read-manifest";
import type { Store } from "./store";

/**
 * A copy of a server's files, from which the write-ahead log leads to any moment after it. `system` names the files the server
 * began with: what another server archives is another system.
 */
const base = z.object({
  format: z.literal(1),
  id: z.string(),
  system: z.string(),
  /** PostgreSQL's major version. */
  version: z.string(),
  /** First file of the write-ahead log that it needs, or one before. */
  startWal: z.string().regex(/^[0-9A-F]{24}$/),
  /** From when on any moment can be restored. ISO 8601. */
  finishedAt: z.iso.datetime(),
  recipient: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  originalBytes: z.number(),
});

export type Base = z.infer<typeof base>;

/** Of a file of the server's log. */
const ARCHIVE_TIMEOUT_MS = 60_000;

const BASES = "bases";
const FILE = "base.tar.zst.age";
const MANIFEST = "manifest.json";

export const baseFile = ({ system, id }: Pick<Base, "system" | "id">) =>
  `${BASES}/${system}/${id}/${FILE}`;
export const walDirectory = (system: string) => `wal/${system}`;

/** The identifier of the running server's files. */
export async function systemOf(server: ContainerServer): Promise<string> {
  const access = socketOf(server);
  const [system = ""] = await askOnce(
    access,
    "postgres",
    "SELECT system_identifier FROM pg_control_system()",
  );
  return system;
}

/** Copies the server's files to every place, and reads them back. The manifest comes last. */
export async function takeBase(context: Context, server: ContainerServer): Promise<Base> {
  const { settings, stores, tell, now, signal } = context;
  const access = socketOf(server);
  const ask = async (sql: string) => (await askOnce(access, "postgres", sql))[0] ?? "";
  const system = await systemOf(server);
  const id = idOf(now());
  await mustArchive(ask, signal);
  const startWal = await ask("SELECT pg_walfile_name(pg_current_wal_lsn())");
  const size = Number(await ask("SELECT sum(pg_database_size(oid)) FROM pg_database"));
  const version = (await ask("SHOW server_version_num")).slice(0, 2);
  const [first, ...others] = stores;
  if (first === undefined) throw new Error("there is no place");
  const file = baseFile({ system, id });
  const what = "files of the server";
  tell({ event: "begins", what: `${what} → ${first.name} place`, total: size });
  const plain = new Measure(bytesOf(`${what} → ${first.name} place`, tell));
  const stored = await first.put(
    file,
    {
      // Waits until the log that it needs is archived.
      command: ["pg_basebackup", "-D", "-", "-Ft", "-X", "none", "-c", "fast", "-l", id, "-w"],
      ...access,
    },
    [plain, compress, encrypt(settings.recipient)],
  );
  const made: Base = {
    format: 1,
    id,
    system,
    version,
    startWal,
    finishedAt: now().toISOString(),
    recipient: settings.recipient,
    ...stored,
    originalBytes: plain.bytes,
  };
  const text = `${JSON.stringify(made)}\n`;
  const manifest = `${BASES}/${system}/${id}/${MANIFEST}`;
  await agreed(first, file, made);
  await first.putText(manifest, text);
  for (const store of others) {
    tell({ event: "begins", what: `${what} → ${store.name} place`, total: stored.bytes });
    const progress = new Measure(bytesOf(`${what} → ${store.name} place`, tell));
    await store.put(file, first.rclone("cat", first.at(file)), [progress]);
    await agreed(store, file, made);
    await copyWal(context, first, store);
    await store.putText(manifest, text);
  }
  signal.throwIfAborted();
  return made;
}

/** A copy of the files waits for the log that it needs, for ever where nothing is archived. */
async function mustArchive(ask: (sql: string) => Promise<string>, signal: AbortSignal) {
  const wanted = await ask("SELECT pg_walfile_name(pg_switch_wal() - 1)");
  const deadline = Date.now() + ARCHIVE_TIMEOUT_MS;
  for (;;) {
    const archived = await ask("SELECT last_archived_wal FROM pg_stat_archiver");
    if (archived.slice(0, 24) >= wanted) return;
    if (Date.now() > deadline) {
      throw new Error(
        "the server's log does not reach the first place: `npm run logs -- <stack> postgres` says why",
      );
    }
    await sleep(200, undefined, { signal });
  }
}

async function agreed(store: Store, file: string, { sha256 }: Base): Promise<void> {
  if ((await store.measure(file)).sha256 === sha256) return;
  throw new Error(`${file} is not what was written (${store.name} place)`);
}

/** What the servers archived goes to another place as it is: encrypted. What is there is not sent again. */
export async function copyWal({ signal }: Context, from: Store, to: Store): Promise<void> {
  await textOf(from.copyTo(to, "wal"), "", signal);
}

/** A copy whose manifest is damaged: nothing but its name is known of it. */
export interface DamagedBase {
  readonly system: string;
  readonly id: string;
  readonly damaged: Damaged;
}

/** What a place has of servers' files. */
export interface Bases {
  /** Oldest first. */
  readonly whole: readonly Base[];
  readonly damaged: readonly DamagedBase[];
}

/**
 * Every system's copies. One whose manifest is damaged hides no other.
 *
 * @throws {Error} when the place does not answer.
 */
export async function basesIn(store: Store): Promise<Bases> {
  const whole: Base[] = [];
  const damaged: DamagedBase[] = [];
  await Promise.all(
    (await store.list(BASES, [`*/*/${MANIFEST}`])).map(async ({ path }) => {
      const [, system = "", id = ""] = path.split("/");
      const own = base.refine((one) => one.system === system && one.id === id);
      const what = `the copy ${id} of the files of server ${system}`;
      try {
        const made = await manifestAt(store, what, path, own);
        if (made !== undefined) whole.push(made);
      } catch (error) {
        if (!(error instanceof Damaged)) throw error;
        damaged.push({ system, id, damaged: error });
      }
    }),
  );
  return {
    whole: whole.sort((a, b) => a.finishedAt.localeCompare(b.finishedAt)),
    damaged: damaged.sort((a, b) => a.id.localeCompare(b.id)),
  };
}

/** Names of the archived files of a system's log, in order. */
export async function walIn(store: Store, system: string): Promise<string[]> {
  const found = await store.list(walDirectory(system));
  return found.flatMap(({ path }) => /\/([0-9A-F]{24})\.zst\.age$/.exec(path)?.[1] ?? []);
}

/** Of 16 MiB each, as PostgreSQL counts them. */
const PER_LOG = 256;

/** @returns the first file that is missing between `from` and the last one of its timeline. */
export function missingWal(names: readonly string[], from: string): string | undefined {
  const timeline = from.slice(0, 8);
  const there = new Set(names.filter((name) => name.startsWith(timeline)));
  const last = [...there].sort().at(-1);
  if (last === undefined) return from;
  const numberOf = (name: string) =>
    parseInt(name.slice(8, 16), 16) * PER_LOG + parseInt(name.slice(16), 16);
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");
  for (let number = numberOf(from); number <= numberOf(last); number++) {
    const name = timeline + hex(Math.floor(number / PER_LOG)) + hex(number % PER_LOG);
    if (!there.has(name)) return name;
  }
  return undefined;
}

/**
 * Removes copies older than the days that are kept, and the log that only they needed. The newest copy of the running server
 * stays, and of older servers everything, until their newest copy is too old. A copy whose manifest is damaged gets as old as any
 * other; the log that it may need stays with it.
 *
 * @param running undefined where no server that runs archives its log.
 * @returns copies whose manifests are damaged.
 */
export async function pruneBases(
  { settings, now }: Context,
  store: Store,
  running: string | undefined,
): Promise<readonly DamagedBase[]> {
  const oldest = now().getTime() - settings.keep.days * 86_400_000;
  const { whole, damaged } = await basesIn(store);
  for (const system of new Set([...whole, ...damaged].map((each) => each.system))) {
    const own = agesOf(system, { whole, damaged });
    const isKept = system === running || own.some(({ time }) => time >= oldest);
    // One more, from which the first of those days can be reached.
    const before = own.findLastIndex(
      ({ time, startWal }) => time < oldest && startWal !== undefined,
    );
    const kept = isKept ? own.slice(Math.max(0, before)) : [];
    for (const { id } of own.filter((one) => !kept.includes(one))) {
      await store.remove(`${BASES}/${system}/${id}/${MANIFEST}`);
      await store.removeAll(`${BASES}/${system}/${id}`);
    }
    const [first] = kept;
    if (first === undefined) await store.removeAll(walDirectory(system));
    else if (first.startWal !== undefined) {
      const { startWal } = first;
      const needless = (await walIn(store, system)).filter((name) => name < startWal);
      await store.removeFiles(
        walDirectory(system),
        needless.map((name) => `${name}.zst.age`),
      );
    }
  }
  return damaged;
}

/** A copy as retention sees it. */
interface Aged {
  readonly id: string;
  readonly time: number;
  /** Not known of one whose manifest is damaged. */
  readonly startWal?: string;
}

/** Copies of a system, oldest first. */
function agesOf(system: string, { whole, damaged }: Bases): Aged[] {
  const isOwn = (one: { readonly system: string }) => one.system === system;
  return [
    ...whole
      .filter(isOwn)
      .map(({ id, finishedAt, startWal }) => ({ id, time: Date.parse(finishedAt), startWal })),
    // Its name says when it began. What has another kind of name never gets old.
    ...damaged.filter(isOwn).map(({ id }) => ({ id, time: timeOf(id)?.getTime() ?? Infinity })),
  ].sort((a, b) => a.time - b.time);
}

/** Unpacks a copy into an empty directory. @throws {Error} when it is damaged. */
export async function unpackBase(
  { tell, signal }: Pick<Context, "tell" | "signal">,
  store: Store,
  made: Base,
  open: readonly Parameters<typeof flow>[1][number][],
  to: Parameters<typeof flow>[2],
): Promise<void> {
  const what = `files of the server ← ${store.name} place`;
  tell({ event: "begins", what, total: made.bytes });
  const measure = new Measure(bytesOf(what, tell));
  const file = baseFile(made);
  await flow(store.rclone("cat", store.at(file)), [measure, ...open], to, signal).catch(
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : "it failed";
      throw new Error(`${file} cannot be restored from the ${store.name} place: ${reason}`);
    },
  );
  if (measure.sha256() !== made.sha256) {
    throw new Error(`${file} in the ${store.name} place is damaged: its SHA-256 is another one`);
  }
}

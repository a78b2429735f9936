import { statfs } from "node:fs/promises";
import * as path from "node:path";
import { recipientOf } from "../age-key";
import type { DatabaseServer, PlaceName } from "../settings";
import { readManifest } from "./catalogue";
import { type Context, decompress, decrypt } from "./context";
import { type Command, flow } from "./flow";
import { differences, directoryOf, idOf, type Manifest, type Part, type Tables } from "./manifest";
import { Measure } from "./measure";
import {
  type Access,
  accessTo,
  askOnce,
  countTables,
  freeze,
  literal,
  quoted,
  Session,
} from "./postgres";
import { bytesOf } from "./progress";
import { writePrivate } from "./private";
import type { Store } from "./store";

export interface RestoreRequest {
  /** age's secret key. It comes by standard input, and is kept in memory only. */
  readonly identity: string;
  readonly from: PlaceName;
  /** Only this database. @default all */
  readonly database?: string | undefined;
  /** Name of a new database; the one that is there stays. With `database`. @default in its place */
  readonly into?: string | undefined;
  /** Look at everything that can be looked at without changing anything. */
  readonly dryRun: boolean;
}

/** Databases as they were, from wherever. */
export interface Origin {
  /** Names it in marks and messages: `backup 20261121T021700Z`. */
  readonly what: string;
  /** Names it in names of databases: lower-case letters and digits. */
  readonly label: string;
  readonly databases: readonly string[];
  /** What they take, at most. */
  readonly bytes: number;
  /** Fills an empty database. @returns what its tables must hold now. */
  fill(database: string, beside: string): Promise<Tables>;
}

const GIB = 2 ** 30;

/** A server always has it: names of the others are changed from there. */
const ADMIN_DATABASE = "postgres";

/** Sessions of the old database end within this. */
const EMPTY_TIMEOUT_SECONDS = 20;

/** What a database beside the old one says of itself when it holds what it should. */
const verifiedMark = ({ what }: Origin) => `archipelago: ${what}, verified`;

/** Brings databases back from a backup. */
export async function restoreDatabases(
  context: Context,
  server: DatabaseServer,
  id: string,
  request: RestoreRequest,
): Promise<Record<string, unknown>> {
  const store = storeOf(context, request.from);
  const manifest = await readManifest(store, id);
  const parts = databaseParts(manifest, request.database);
  mustOpen(`backup ${manifest.id}`, manifest.recipient, request.identity);
  await mustBeWhole(store, manifest, parts);
  const identity = path.join(context.secrets, "identity");
  writePrivate(identity, `${request.identity}\n`);
  const origin: Origin = {
    what: `backup ${manifest.id}`,
    label: manifest.id.toLowerCase(),
    databases: parts.map(({ name }) => name),
    bytes: parts.reduce((sum, part) => sum + part.originalBytes, 0),
    fill: (database, beside) => {
      const part = parts.find(({ name }) => name === database);
      if (part === undefined) throw new Error(`there is no database ${database}`);
      return load(context, server, { manifest, part, beside, store, identity });
    },
  };
  return { from: store.name, ...(await bringBack(context, server, origin, request)) };
}

/**
 * Makes each database beside the one that is there, verifies it, and gives it the other one's place. What an interrupted
 * attempt had verified is not made again.
 */
export async function bringBack(
  context: Context,
  server: DatabaseServer,
  origin: Origin,
  { into, dryRun }: Pick<RestoreRequest, "into" | "dryRun">,
): Promise<Record<string, unknown>> {
  const { tell, now } = context;
  await mustFit(server, origin);
  if (into !== undefined) await mustBeFree(server, into);
  if (dryRun) return { dryRun, what: origin.what, databases: into ? [into] : origin.databases };
  const plan = origin.databases.map((name) => ({
    name,
    beside: `${name}_restore_${origin.label}`,
    place: into ?? name,
  }));
  const restored: Tables[] = [];
  for (const { name, beside } of plan) {
    if (await isVerified(server, beside, origin)) {
      tell({ event: "note", text: `${beside} is there from an earlier attempt, and verified` });
      restored.push(await tablesOf(accessTo(server), beside));
    } else restored.push(await make(context, server, origin, name, beside));
  }
  const stamp = idOf(now()).toLowerCase();
  const kept: string[] = [];
  for (const { name, beside, place } of plan) {
    const old = into === undefined ? `${name}_before_${stamp}` : undefined;
    if (await takePlace(context, server, beside, place, old)) kept.push(old ?? "");
  }
  const rows = restored.flatMap((tables) => Object.values(tables)).map((each) => each.rows);
  return {
    what: origin.what,
    databases: plan.map(({ place }) => place),
    kept,
    tables: rows.length,
    rows: rows.reduce((sum, count) => sum + count, 0),
  };
}

export function storeOf({ stores }: Context, name: PlaceName): Store {
  const store = stores.find((one) => one.name === name);
  if (store === undefined) throw new Error(`there is no ${name} place`);
  return store;
}

function databaseParts({ id, parts }: Manifest, wanted: string | undefined): Part[] {
  const databases = parts.filter(({ kind }) => kind === "database");
  const chosen = databases.filter(({ name }) => wanted === undefined || name === wanted);
  if (chosen.length > 0) return chosen;
  const names = databases.map(({ name }) => name).join(", ") || "none";
  throw new Error(`backup ${id} has no database ${wanted ?? ""}: it has ${names}`);
}

/** @throws {Error} when the identity is not the one that it was encrypted to, before anything is read. */
export function mustOpen(what: string, recipient: string, identity: string): void {
  const own = recipientOf(identity);
  if (own === recipient) return;
  throw new Error(
    `wrong key: ${what} was encrypted to ${recipient}, and this identity opens what is encrypted to ${own}`,
  );
}

/** @throws {Error} when a file of the backup is missing or has another size. */
async function mustBeWhole(store: Store, { id }: Manifest, parts: readonly Part[]) {
  const files = new Map((await store.list(directoryOf(id))).map((one) => [one.path, one.bytes]));
  for (const { file, bytes } of parts) {
    const found = files.get(`${directoryOf(id)}/${file}`);
    if (found === bytes) continue;
    const what = found === undefined ? "is missing" : `has ${found} bytes, not ${bytes}`;
    throw new Error(
      `${file} of backup ${id} ${what} in the ${store.name} place; ${elsewhere(store)}`,
    );
  }
}

export const elsewhere = ({ name }: Store) => `try --from ${name === "first" ? "second" : "first"}`;

/** Everything twice, and the log of writing it, fits beside what is there. */
async function mustFit(server: DatabaseServer, { bytes }: Origin): Promise<void> {
  const needed = bytes * 1.1 + Math.min(bytes, GIB);
  const { bavail, bsize } = await statfs(server.directory);
  if (bavail * bsize >= needed) return;
  const gib = (count: number) => `${(count / GIB).toFixed(2)} GiB`;
  throw new Error(
    `not enough room: the restored databases need ${gib(needed)} beside the old ones, and ${gib(bavail * bsize)} are free; ` +
      "raise archipelago:database.volumeGib and run `up`, or drop databases that an earlier restore kept",
  );
}

async function mustBeFree(server: DatabaseServer, name: string) {
  if (await exists(accessTo(server), name)) {
    throw new Error(`there is a database ${name} already: --into makes a new one`);
  }
}

async function exists(admin: Access, name: string): Promise<boolean> {
  const sql = `SELECT 1 FROM pg_database WHERE datname = ${literal(name)}`;
  return (await askOnce(admin, ADMIN_DATABASE, sql)).length > 0;
}

async function isVerified(server: DatabaseServer, name: string, origin: Origin): Promise<boolean> {
  const sql = `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ${literal(name)}`;
  const [mark] = await askOnce(accessTo(server), ADMIN_DATABASE, sql);
  return mark === verifiedMark(origin);
}

/** Makes a database beside, and looks whether it holds what it should. */
async function make(
  context: Context,
  server: DatabaseServer,
  origin: Origin,
  name: string,
  beside: string,
): Promise<Tables> {
  const { tell } = context;
  const access = accessTo(server);
  const ask = (sql: string) => askOnce(access, ADMIN_DATABASE, sql);
  const drop = () => ask(`DROP DATABASE IF EXISTS ${quoted(beside)} WITH (FORCE)`);
  // What an interrupted restore left: it is no verified one.
  await drop();
  await ask(`CREATE DATABASE ${quoted(beside)} OWNER ${quoted(name)} TEMPLATE template0`);
  await ask(`REVOKE CONNECT ON DATABASE ${quoted(beside)} FROM PUBLIC`);
  try {
    const expected = await origin.fill(name, beside);
    tell({ event: "begins", what: `rows and sums of ${name}` });
    const found = await tablesOf(access, beside);
    const wrong = differences(expected, found);
    if (wrong.length > 0) {
      throw new Error(`what was restored is not what was saved: ${wrong.slice(0, 5).join("; ")}`);
    }
    await ask(`COMMENT ON DATABASE ${quoted(beside)} IS ${literal(verifiedMark(origin))}`);
    return found;
  } catch (error) {
    await drop().catch(() => undefined);
    throw error;
  }
}

export const restoreCommand = (server: DatabaseServer, beside: string): Command => ({
  command: ["pg_restore", "--exit-on-error", "-d", beside],
  ...accessTo(server),
});

interface Loading {
  readonly manifest: Manifest;
  readonly part: Part;
  readonly beside: string;
  readonly store: Store;
  /** File. */
  readonly identity: string;
}

/** Fills a database with a dump. @returns what the backup says of its tables. */
async function load(
  { tell, signal }: Context,
  server: DatabaseServer,
  { manifest, part, beside, store, identity }: Loading,
): Promise<Tables> {
  const what = `database ${part.name} ← ${store.name} place`;
  const file = `${directoryOf(manifest.id)}/${part.file}`;
  tell({ event: "begins", what, total: part.bytes });
  const measure = new Measure(bytesOf(what, tell));
  await flow(
    store.rclone("cat", store.at(file)),
    [measure, decrypt(identity), decompress],
    restoreCommand(server, beside),
    signal,
  ).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "it failed";
    throw new Error(`${file} cannot be restored from the ${store.name} place: ${reason}`);
  });
  if (measure.sha256() !== part.sha256) {
    throw new Error(
      `${file} in the ${store.name} place is damaged: its SHA-256 is another one; ${elsewhere(store)}`,
    );
  }
  return part.tables ?? {};
}

export async function tablesOf(access: Access, database: string) {
  const session = Session.open(access, database);
  try {
    await freeze(session);
    return await countTables(session);
  } finally {
    await session.close();
  }
}

/**
 * Gives a database the name of another one, which keeps its contents under a name of its own. New sessions wait for milliseconds.
 *
 * @returns whether there was one.
 */
async function takePlace(
  { tell }: Context,
  server: DatabaseServer,
  beside: string,
  place: string,
  old: string | undefined,
): Promise<boolean> {
  const admin = accessTo(server);
  const session = Session.open(admin, ADMIN_DATABASE);
  const closed = (name: string, yes: boolean) =>
    `ALTER DATABASE ${quoted(name)} ALLOW_CONNECTIONS ${yes ? "false" : "true"}`;
  try {
    const taken = old !== undefined && (await exists(admin, place));
    if (!taken) {
      await session.ask(`ALTER DATABASE ${quoted(beside)} RENAME TO ${quoted(place)}`);
      return false;
    }
    try {
      await session.ask(closed(place, true));
      await empty(session, place);
      await session.ask(
        `BEGIN; ALTER DATABASE ${quoted(place)} RENAME TO ${quoted(old)}; ALTER DATABASE ${quoted(beside)} RENAME TO ${quoted(place)}; COMMIT`,
      );
      await session.ask(closed(old, false));
    } catch (error) {
      await askOnce(admin, ADMIN_DATABASE, closed(place, false)).catch(() => undefined);
      throw error;
    }
    tell({ event: "note", text: `${place} is the restored one now; the one before is ${old}` });
    return true;
  } finally {
    await session.close();
  }
}

/** Ends the sessions of a database that takes no new ones. */
async function empty(session: Session, database: string): Promise<void> {
  const deadline = Date.now() + EMPTY_TIMEOUT_SECONDS * 1000;
  const sql = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = ${literal(database)}`;
  while ((await session.ask(sql))[0] !== "0") {
    if (Date.now() > deadline) throw new Error(`sessions of ${database} do not end`);
    await session.ask("SELECT pg_sleep(0.05)");
  }
}

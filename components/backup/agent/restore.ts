import * as path from "node:path";
import { recipientOf } from "../age-key";
import type { DatabaseServer, PlaceName } from "../settings";
import { type Access, accessTo } from "./access";
import { Administrator, restoreCommand } from "./beside";
import { readManifest } from "./catalogue";
import { adminDatabase } from "./databases";
import type { Context } from "./context";
import {
  directoryOf,
  idOf,
  type Manifest,
  mustBeAsSaved,
  type Part,
  type Tables,
} from "./manifest";
import { countTables, freeze, Session } from "./postgres";
import { writePrivate } from "./private";
import { readInto } from "./read-part";
import { elsewhere, type Store } from "./store";

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
  const parts = databaseParts(manifest, request, adminDatabase(server));
  mustOpen(`backup ${manifest.id}`, manifest.recipient, request.identity);
  await mustBeWhole(store, manifest, parts);
  const identity = path.join(context.secrets, "identity");
  writePrivate(identity, `${request.identity}\n`);
  const origin: Origin = {
    what: `backup ${manifest.id}`,
    label: manifest.id.toLowerCase(),
    databases: parts.map(({ name }) => name),
    bytes: parts.reduce((sum, part) => sum + part.originalBytes, 0),
    fill: async (database, beside) => {
      const part = parts.find(({ name }) => name === database);
      if (part === undefined) throw new Error(`there is no database ${database}`);
      const access = accessTo(server, context.secrets);
      const at = { store, id: manifest.id, identity };
      await readInto(context, at, part, restoreCommand(access, beside));
      return part.tables ?? {};
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
  const administrator = new Administrator(server, context);
  await administrator.mustFit(origin.bytes);
  if (into !== undefined && (await administrator.exists(into))) {
    throw new Error(`there is a database ${into} already: --into makes a new one`);
  }
  if (dryRun) return { dryRun, what: origin.what, databases: into ? [into] : origin.databases };
  const plan = origin.databases.map((name) => ({
    name,
    beside: `${name}_restore_${origin.label}`,
    place: into ?? name,
  }));
  const restored: Tables[] = [];
  for (const { name, beside } of plan) {
    if ((await administrator.markOf(beside)) === verifiedMark(origin)) {
      tell({ event: "note", text: `${beside} is there from an earlier attempt, and verified` });
      restored.push(await tablesOf(administrator.access, beside));
    } else restored.push(await make(context, administrator, origin, name, beside));
  }
  const stamp = idOf(now()).toLowerCase();
  const kept: string[] = [];
  for (const { name, beside, place } of plan) {
    const old = into === undefined ? `${name}_before_${stamp}` : undefined;
    if (!(await administrator.takePlace(beside, place, old))) continue;
    tell({ event: "note", text: `${place} is the restored one now; the one before is ${old}` });
    kept.push(old ?? "");
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

/** @param fixed a database whose name nobody may change. */
function databaseParts(
  { id, parts }: Manifest,
  { database: wanted, into }: RestoreRequest,
  fixed: string,
): Part[] {
  const databases = parts.filter(({ kind }) => kind === "database");
  const chosen = databases.filter(({ name }) =>
    wanted === undefined ? name !== fixed : name === wanted,
  );
  if (chosen.length === 0) {
    const names = databases.map(({ name }) => name).join(", ") || "none";
    throw new Error(`backup ${id} has no database ${wanted ?? ""}: it has ${names}`);
  }
  if (wanted === fixed && into === undefined) {
    throw new Error(
      `${fixed} is the administrator's own and keeps its name: --into brings it back as another one`,
    );
  }
  return chosen;
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
export async function mustBeWhole(store: Store, { id }: Manifest, parts: readonly Part[]) {
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

/** Makes a database beside, and looks whether it holds what it should. */
async function make(
  { tell }: Context,
  administrator: Administrator,
  origin: Origin,
  name: string,
  beside: string,
): Promise<Tables> {
  // What an interrupted restore left: it is no verified one.
  await administrator.drop(beside);
  await administrator.create(beside, name);
  try {
    const expected = await origin.fill(name, beside);
    tell({ event: "begins", what: `rows and sums of ${name}` });
    const found = await tablesOf(administrator.access, beside, expected);
    mustBeAsSaved(expected, found);
    await administrator.mark(beside, verifiedMark(origin));
    return found;
  } catch (error) {
    await administrator.drop(beside).catch(() => undefined);
    throw error;
  }
}

/** @param like what they will be compared with. */
export async function tablesOf(access: Access, database: string, like?: Tables) {
  const session = Session.open(access, database);
  try {
    await freeze(session);
    return await countTables(session, like);
  } finally {
    await session.close();
  }
}

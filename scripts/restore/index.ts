/** `npm run restore -- <stack>`: brings databases and files back from a backup. */
import { createInterface } from "node:readline/promises";
import { VOLUME_MOUNT } from "../../infra/names";
import { Fault } from "../../local/fault";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { askAgent, Follower, size } from "../backup/agent";
import { DEFAULT_IDENTITY } from "../backup/keygen";
import { ageOf, listBackups, type StoredBackup, tableOf } from "../backup/list";
import { findTarget } from "../operator/target";
import { restoreElsewhere } from "./elsewhere";
import { readIdentity } from "./identity";
import { mustNotBeOfNewServer } from "./newest";
import { momentOf, type RestoreOptions } from "./options";
import { filesIn, linesOf, stopServices } from "./services";

/** A restore reads, decrypts, decompresses and writes about as much of a database in a second, on two shared cores. */
const RESTORE_BYTES_PER_SECOND = 15 * 2 ** 20;

/** @returns 0 when everything is restored and verified. */
export async function restore(stack: string | undefined, options: RestoreOptions): Promise<number> {
  const { from, into, json = false } = options;
  if (from !== undefined && from !== "first" && from !== "second") {
    throw new Fault(`--from must be first or second, got ${from}`);
  }
  if (into !== undefined && !/^[a-z_][a-z0-9_]{0,62}$/.test(into)) {
    throw new Fault(`--into must be lower-case letters, digits and underscores, got ${into}`);
  }
  const { service, files = false } = options;
  const kinds = [service !== undefined, files, (options.database ?? into) !== undefined];
  if (kinds.filter(Boolean).length > 1) {
    throw new Fault("--service, --files, and --database with --into: one of them at a time");
  }
  if (options.place !== undefined) return restoreElsewhere(stack, options.place, options);
  if (stack === undefined) {
    throw new Fault("Which stack? Name one; or --place, on a machine that has none.");
  }
  if (options.intoDirectory !== undefined || options.toPostgres) {
    throw new Fault("--into-directory and --to-postgres read from a place: add --place.");
  }
  const target = await findTarget(stack, options.cloud ?? false);
  try {
    const { backups, failures } = await listBackups(target);
    for (const failure of failures) process.stderr.write(`${failure}\n`);
    if (!json && backups.length > 0) process.stderr.write(`${tableOf(backups)}\n`);
    const moment = momentOf(options.to);
    const chosen = moment === undefined ? choose(backups, options.to, from) : undefined;
    if (chosen && options.to === undefined) mustNotBeOfNewServer(chosen, backups);
    const request = chosen
      ? fromBackup(stack, chosen, options)
      : fromArchive(stack, moment ?? "end", from ?? "first", options);
    if (!options.dryRun && !options.yes && !(await agreed(stack))) return 1;
    return await follow(json, (onEvent) =>
      askAgent(target, "restore", onEvent, request, stopServices(target)),
    );
  } finally {
    closeConnections();
  }
}

/** What the agent is asked for, after telling the operator what it will do. */
function fromBackup(stack: string, chosen: StoredBackup, options: RestoreOptions) {
  const { database, service, files = false, into } = options;
  const databases = chosen.parts.filter(({ kind }) => kind === "database");
  const names = databases.map((one) => one.name);
  const name = database ?? (into !== undefined && names.length === 1 ? names[0] : undefined);
  if (into !== undefined && name === undefined) {
    throw new Fault(`--into is for one database: add --database, one of ${names.join(", ")}`);
  }
  const identity = readIdentity(options.identity ?? DEFAULT_IDENTITY, chosen.recipient);
  const wanted = databases.filter(
    (one) => service === undefined && !files && (name === undefined || one.name === name),
  );
  const others = name === undefined ? filesIn(chosen, { service, files }) : [];
  process.stderr.write(`${planOf(stack, chosen, wanted, others, into)}\n`);
  const { place, id } = chosen;
  const only = { database: name, service, files, into };
  return { identity, from: place, backup: id, ...only, dryRun: isDry(options) };
}

/** The same for a moment that the archived log leads to. */
function fromArchive(
  stack: string,
  moment: string,
  place: "first" | "second",
  options: RestoreOptions,
) {
  const { database, service, files, into } = options;
  if (service !== undefined || files) {
    throw new Fault("--service and --files are for a backup: a moment is of a database alone");
  }
  if (into !== undefined && database === undefined) {
    throw new Fault("--into is for one database: add --database");
  }
  const identity = readIdentity(options.identity ?? DEFAULT_IDENTITY);
  const what = moment === "end" ? "to the end of what was archived" : `to ${moment}`;
  process.stderr.write(
    `Recovery of ${stack} ${what}, from the ${place} place: a copy of the server's files and the log since then, beside the running server; ` +
      (into === undefined
        ? "then its databases take the others' places, which are kept under dated names.\n"
        : `then ${database ?? ""} becomes the new database ${into}.\n`),
  );
  return { identity, from: place, moment, database, into, dryRun: isDry(options) };
}

const isDry = ({ dryRun = false }: RestoreOptions) => dryRun;

/**
 * The newest backup, or the one of that name; from the first place where both have it.
 *
 * @throws {Fault} when there is none.
 */
export function choose(
  backups: readonly StoredBackup[],
  id: string | undefined,
  from: string | undefined,
): StoredBackup {
  const [chosen] = backups
    .filter((each) => (from ?? each.place) === each.place && (id ?? each.id) === each.id)
    .sort((a, b) => b.id.localeCompare(a.id) || a.place.localeCompare(b.place));
  if (chosen) return chosen;
  const where = from === undefined ? "" : ` in the ${from} place`;
  throw new Fault(`There is no backup${id === undefined ? "" : ` ${id}`}${where}.`);
}

function planOf(
  stack: string,
  { id, place, startedAt }: StoredBackup,
  databases: StoredBackup["parts"],
  files: StoredBackup["parts"],
  into: string | undefined,
): string {
  const bytes = [...databases, ...files].reduce((sum, { originalBytes }) => sum + originalBytes, 0);
  const seconds = Math.ceil(bytes / RESTORE_BYTES_PER_SECOND) + 2;
  const lines = databases.map(({ name, originalBytes, rows }) =>
    into === undefined
      ? `  ${name} (${size(originalBytes)}, ${rows} rows) takes the place of ${name}, which is kept as ${name}_before_<now>`
      : `  ${name} (${size(originalBytes)}, ${rows} rows) becomes the new database ${into}; ${name} stays as it is`,
  );
  const pause =
    into === undefined && databases.length > 0
      ? " Sessions of the app end once, for a moment, when that is done."
      : "";
  return [
    `Restore of ${stack} from backup ${id} (${ageOf(startedAt)} old, ${place} place):`,
    ...lines,
    ...linesOf(files),
    `It is made beside, and verified: ${databases.length > 0 ? "rows and sums of every table" : "sums of all bytes, and every SQLite file by itself"}. About ${seconds} s.${pause}`,
  ].join("\n");
}

async function agreed(stack: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new Fault("Nobody can be asked here: --yes restores without a question.");
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await reader.question(`To go on, type the stack's name (${stack}): `);
  reader.close();
  return answer.trim() === stack;
}

async function follow(
  json: boolean,
  ask: (onEvent: Follower["show"]) => Promise<number>,
): Promise<number> {
  const began = Date.now();
  const follower = new Follower();
  return ask((event) => {
    if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
    else follower.show(event);
    if (event.event !== "done" || json) return;
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    const {
      databases = [],
      services = [],
      kept = [],
      keptDirectories = [],
      ...rest
    } = event as {
      bucket?: boolean;
      objects?: number;
      written?: number;
      keptObjects?: string;
      databases?: string[];
      services?: string[];
      kept?: string[];
      keptDirectories?: string[];
      tables?: number;
      files?: number;
      rows?: number;
    };
    const { objects, written = 0, keptObjects } = rest;
    const what = [
      ...databases,
      ...services.map((name) => `the files of ${name}`),
      ...(objects !== undefined || rest.bucket ? ["uploaded files"] : []),
    ].join(", ");
    if (event.dryRun) {
      process.stdout.write(
        `Would restore ${what}: the key fits, the files are there, and there is room.\n`,
      );
      return;
    }
    const { rows = 0, tables = 0, files } = rest;
    const counted = [
      ...(databases.length > 0 ? [`${rows} rows in ${tables} tables`] : []),
      ...(services.length > 0 ? [`${files ?? 0} files`] : []),
      ...(objects === undefined
        ? []
        : [`${objects} uploaded files, of which ${written} were gone or others`]),
    ].join(" and ");
    process.stdout.write(
      `Restored ${what}: ${counted}, the same as in ${String(event.what)}. ${seconds} s.\n`,
    );
    const before = [
      ...kept,
      ...(keptObjects === undefined ? [] : [`${keptObjects}/ in the bucket`]),
      ...keptDirectories.map((name) => `${VOLUME_MOUNT}/services/${name}`),
    ];
    if (before.length > 0)
      process.stdout.write(`What was there before is kept: ${before.join(", ")}.\n`);
  });
}

/** `npm run restore -- <stack>`: brings databases and files back from a backup. */
import { Fault } from "../../local/fault";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { askAgent, size } from "../backup/agent";
import { DEFAULT_IDENTITY } from "../backup/keygen";
import { ageOf, listBackups, listingOf, type StoredBackup } from "../backup/list";
import { agree } from "../operator/agree";
import { findTarget } from "../operator/target";
import { restoreElsewhere } from "./elsewhere";
import { readIdentity } from "./identity";
import { restoreMoment } from "./moment";
import { mustNotBeOfNewServer, mustNotHideNewer } from "./newest";
import { momentOf, type RestoreOptions } from "./options";
import { follow, secondsFor } from "./report";
import { filesIn, linesOf, stopServices } from "./services";

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
  if (options.server !== undefined && momentOf(options.to) === undefined) {
    throw new Fault("--server is for a moment: add --to <time>, or --to end.");
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
    const { failures, damaged, ...listing } = await listBackups(target);
    const { backups, archives } = listing;
    for (const failure of failures) process.stderr.write(`${failure}\n`);
    if (!json && backups.length + archives.length > 0) {
      process.stderr.write(`${listingOf(listing)}\n`);
    }
    const moment = momentOf(options.to);
    if (moment !== undefined) {
      return await restoreMoment(target, moment, from ?? "first", options);
    }
    const chosen = choose(backups, options.to, from);
    if (options.to === undefined) {
      mustNotHideNewer(chosen, damaged);
      mustNotBeOfNewServer(chosen, backups);
    }
    const request = fromBackup(stack, chosen, options);
    if (!options.dryRun && !options.yes && !(await agree(stack))) return 1;
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
    `It is made beside, and verified: ${databases.length > 0 ? "rows and sums of every table" : "sums of all bytes, and every SQLite file by itself"}. About ${secondsFor(bytes)} s.${pause}`,
  ].join("\n");
}

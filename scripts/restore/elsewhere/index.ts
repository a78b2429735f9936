/** `npm run restore -- [stack] --place <url>`: on a machine that has nothing but the key and a place. */
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { ProgramFailed } from "../../../components/backup/agent/flow";
import { writePrivate } from "../../../components/backup/agent/private";
import { mustBeWhole, mustOpen } from "../../../components/backup/agent/restore";
import type { Manifest, Part } from "../../../components/backup/agent/manifest";
import { Fault } from "../../../local/fault";
import { Follower } from "../../backup/agent";
import { DEFAULT_IDENTITY } from "../../backup/keygen";
import { readIdentity } from "../identity";
import { momentOf, type RestoreOptions } from "../options";
import { intoDataDirectory, recoveryTo } from "./data-directory";
import { intoDirectory } from "./directory";
import { archivesIn, describe, manifestOf, manifestsIn } from "./list";
import { type Opened, within } from "./opened";
import { placeOf } from "./place";
import { intoPostgres, mustBeFree, type Wanted } from "./postgres";

/** Debian's packages of the programs that are called. */
const PACKAGES: Readonly<Record<string, string>> = {
  rclone: "rclone",
  age: "age",
  zstd: "zstd",
  psql: "postgresql-client",
  pg_restore: "postgresql-client",
};

/**
 * Lists what a place has, or restores from it into a directory or a PostgreSQL server.
 *
 * @returns 0 when all that was asked for is restored and verified; of a list, when nothing in the place is damaged.
 */
export async function restoreElsewhere(
  stack: string | undefined,
  url: string,
  options: RestoreOptions,
): Promise<number> {
  const { intoDirectory: directory, toPostgres = false, json = false } = options;
  mustSuit(options);
  mustHave(["rclone", "age", "zstd", ...(toPostgres ? ["psql", "pg_restore"] : [])]);
  const place = await placeOf(url, options);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new Fault("Stopped. Type the same again to go on.")));
  const follower = new Follower();
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  let isWell = true;
  const damaged: string[] = [];
  const tell: Opened["tell"] = (event) => {
    if (event.event === "failed") {
      isWell = false;
      if (event.backup !== undefined) damaged.push(event.backup);
    }
    if (json) print(JSON.stringify(event));
    else follower.show(event);
  };
  return within(place, stack, { tell, signal: stop.signal }, async (opened) => {
    const [manifests, archives] = await Promise.all([manifestsIn(opened), archivesIn(opened)]);
    if (directory === undefined && !toPostgres) {
      print(json ? JSON.stringify({ manifests, archives }) : describe(manifests, archives));
      return isWell ? 0 : 1;
    }
    if (!json) process.stderr.write(`${describe(manifests, archives)}\n`);
    const began = Date.now();
    const said = await restoreFrom(opened, manifests, damaged, options);
    if (json) print(JSON.stringify({ event: "done", ...said.done }));
    else print(`${said.text} ${((Date.now() - began) / 1000).toFixed(1)} s.`);
    return 0;
  }).catch((error: unknown) => {
    throw asFault(error);
  });
}

/** What a place, a program or a check says is for the operator; where in this program it was said is not. */
function asFault(error: unknown): unknown {
  const isPlain = error instanceof Error && Object.getPrototypeOf(error) === Error.prototype;
  return isPlain || error instanceof ProgramFailed ? new Fault(error.message) : error;
}

interface Said {
  readonly text: string;
  readonly done: Readonly<Record<string, unknown>>;
}

async function restoreFrom(
  opened: Opened,
  manifests: readonly Manifest[],
  damaged: readonly string[],
  options: RestoreOptions,
): Promise<Said> {
  const { to, into, intoDirectory: directory, server: system, dryRun = false } = options;
  const file = options.identity ?? DEFAULT_IDENTITY;
  const moment = momentOf(to);
  if (moment !== undefined && directory !== undefined) {
    const recovery = await recoveryTo(opened, { moment, system }, readIdentity(file));
    const what = moment === "end" ? "all that was archived" : `the state of ${moment}`;
    if (dryRun) return wouldRestore(what, directory);
    const databases = await intoDataDirectory(opened, recovery, path.resolve(directory));
    const start = `postgres -D ${directory} -k /tmp -c listen_addresses=`;
    return {
      text: `${what} is in ${directory}: ${databases.join(", ")}. As its owner: ${start}, and psql -h /tmp -U postgres.`,
      done: { what, directory, databases },
    };
  }
  const manifest = manifestOf(manifests, damaged, to);
  const key = readIdentity(file, manifest.recipient);
  mustOpen(`backup ${manifest.id}`, manifest.recipient, key);
  const parts = chosenParts(manifest, options);
  await mustBeWhole(opened.store, manifest, parts);
  const identity = path.join(opened.secrets, "identity");
  writePrivate(identity, `${key}\n`);
  const what = `backup ${manifest.id}`;
  if (directory !== undefined) {
    if (dryRun) return wouldRestore(what, directory);
    const files = await intoDirectory(opened, manifest, parts, path.resolve(directory), identity);
    return {
      text: `Of ${what}, the same bytes as were saved:\n  ${files.join("\n  ")}\npg_restore -d <database> reads a dump.`,
      done: { what, files },
    };
  }
  const wanted = databasesOf(parts, into);
  await mustBeFree(wanted);
  if (dryRun) return wouldRestore(what, wanted.map(({ name }) => name).join(", "));
  const databases = await intoPostgres(opened, manifest, wanted, identity);
  const lines = databases.map(
    ({ name, tables, rows }) =>
      `${name}: ${rows} rows in ${tables} tables, the same as in ${what}.`,
  );
  return { text: lines.join("\n"), done: { what, databases } };
}

const wouldRestore = (what: string, to: string): Said => ({
  text: `Would restore ${what} to ${to}: the key fits, and the files are there.`,
  done: { dryRun: true, what },
});

/** @throws {Fault} when the backup has nothing of what is asked for. */
function chosenParts(
  { id, parts }: Manifest,
  { database, service, files = false }: RestoreOptions,
): readonly Part[] {
  const isWanted = ({ kind, name }: Part) => {
    if (database !== undefined) return kind === "database" && name === database;
    if (service !== undefined) return (kind === "volume" || kind === "sqlite") && name === service;
    return !files || kind === "files";
  };
  const chosen = parts.filter(isWanted);
  if (chosen.length > 0) return chosen;
  throw new Fault(`Backup ${id} has nothing of ${database ?? service ?? "what was asked for"}.`);
}

function databasesOf(parts: readonly Part[], into: string | undefined): Wanted[] {
  const databases = parts.filter(({ kind }) => kind === "database");
  const names = databases.map(({ name }) => name).join(", ");
  if (databases.length === 0) throw new Fault("There is no database in that backup.");
  if (into !== undefined && databases.length > 1) {
    throw new Fault(`--into is for one database: add --database, one of ${names}`);
  }
  return databases.map((part) => ({ part, name: into ?? part.name }));
}

function mustSuit({ to, into, intoDirectory, toPostgres, from, yes }: RestoreOptions): void {
  if (intoDirectory !== undefined && toPostgres) {
    throw new Fault("Take one of --into-directory and --to-postgres.");
  }
  if (momentOf(to) !== undefined && toPostgres) {
    throw new Fault(
      "A moment needs the server's own files: --into-directory makes a data directory, from which pg_dump goes on.",
    );
  }
  if (into !== undefined && !toPostgres)
    throw new Fault("--into is a database: add --to-postgres.");
  if (from !== undefined || yes) {
    throw new Fault(
      "--from and --yes are for a stack: --place names a place, and nothing is overwritten.",
    );
  }
}

/** @throws {Fault} with what to install. */
function mustHave(programs: readonly string[]): void {
  const missing = programs.filter((program) => {
    try {
      execFileSync("sh", ["-c", 'command -v "$1"', "sh", program], { stdio: "ignore" });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => PACKAGES[program] ?? program))];
  throw new Fault(
    `Not installed: ${missing.join(", ")}. On Debian and Ubuntu: apt-get install ${packages.join(" ")}`,
  );
}

/** What services keep on the Volume, as `npm run restore` shows it and stops who uses it. */
import { Fault } from "../../local/fault";
import { swarmEngine } from "../../providers/swarm/docker/swarm-engine";
import { haveStarted, whileStopped } from "../adopt/data/pause";
import { size, type WhileStopped } from "../backup/agent";
import type { StoredBackup } from "../backup/list";
import { managerOf, type Target } from "../operator/target";

type Parts = StoredBackup["parts"];

/** Runs the services that have a schedule. */
const SCHEDULER = "scheduler";

/**
 * The parts of a backup that are files: those of services, and the bucket of uploaded ones.
 *
 * @param only those of a service, or the bucket.
 * @throws {Fault} when the backup has none of them.
 */
export function filesIn(
  { id, parts }: StoredBackup,
  { service, files: isBucket = false }: { service?: string | undefined; files?: boolean },
): Parts {
  const bucket = parts.filter(({ kind }) => kind === "files");
  if (isBucket && bucket.length === 0) throw new Fault(`Backup ${id} has no bucket of files.`);
  if (isBucket) return bucket;
  const files = parts.filter(({ kind }) => kind === "volume" || kind === "sqlite");
  const wanted = files.filter(({ name }) => service === undefined || name === service);
  if (service === undefined) return [...wanted, ...bucket];
  if (wanted.length > 0) return wanted;
  const names = [...new Set(files.map(({ name }) => name))].join(", ") || "none";
  throw new Fault(`Backup ${id} has no files of ${service}: it has those of ${names}.`);
}

/** A line for each service. */
export function linesOf(files: Parts): string[] {
  const [bucket] = files.filter(({ kind }) => kind === "files");
  const theirs = files.filter(({ kind }) => kind !== "files");
  const lines = [...new Set(theirs.map(({ name }) => name))].map((service) => {
    const own = theirs.filter(({ name }) => name === service);
    const bytes = own.reduce((sum, { originalBytes }) => sum + originalBytes, 0);
    const databases = own.flatMap(({ kind, path = "" }) => (kind === "sqlite" ? [path] : []));
    const what = databases.length > 0 ? `, ${databases.join(", ")} among them` : "";
    return `  the files of ${service} (${size(bytes)}${what}) take the place of those that are there, which are kept in ${service}.before_<now>; ${service} is stopped for that`;
  });
  if (bucket === undefined) return lines;
  return [
    ...lines,
    `  uploaded files (${size(bucket.originalBytes)}) that are gone or were changed come back into the bucket; what was changed is kept there below before_<now>/, and what came later stays`,
  ];
}

/** Ends when they run again. Ctrl-C waits: the services are stopped for seconds, and must not stay so. */
export const stopServices =
  (target: Target): WhileStopped =>
  async (services, work) => {
    const engine = swarmEngine(await managerOf(target));
    const there = (await engine.services()).map(({ name }) => name);
    // A service with a schedule is no service of the swarm: who starts its runs is.
    const names = services.map((name) => (there.includes(name) ? name : SCHEDULER));
    const replicas = names
      .filter((name) => there.includes(name))
      .map((name) => [name, target.outputs.services[name]?.replicas ?? 1] as const);
    const wait = () => process.stderr.write("\nA moment: services are stopped.\n");
    process.on("SIGINT", wait);
    try {
      await whileStopped(engine, Object.fromEntries(replicas), work);
      await haveStarted(engine, Object.fromEntries(replicas));
    } finally {
      process.off("SIGINT", wait);
    }
  };

/** What services keep on the Volume, as `npm run restore` shows it and stops who uses it. */
import { Fault } from "../../local/fault";
import { swarmEngine } from "../../providers/swarm/docker/swarm-engine";
import { whileStopped } from "../adopt/data/pause";
import { size, type WhileStopped } from "../backup/agent";
import type { StoredBackup } from "../backup/list";
import { managerOf, type Target } from "../operator/target";

type Parts = StoredBackup["parts"];

/** Runs the services that have a schedule. */
const SCHEDULER = "scheduler";

/**
 * The parts of a backup that make up services' files.
 *
 * @param service whose alone. @default every one's
 * @throws {Fault} when the backup has none of that service.
 */
export function filesIn({ id, parts }: StoredBackup, service: string | undefined): Parts {
  const files = parts.filter(({ kind }) => kind === "volume" || kind === "sqlite");
  const wanted = files.filter(({ name }) => service === undefined || name === service);
  if (service === undefined || wanted.length > 0) return wanted;
  const names = [...new Set(files.map(({ name }) => name))].join(", ") || "none";
  throw new Fault(`Backup ${id} has no files of ${service}: it has those of ${names}.`);
}

/** A line for each service. */
export function linesOf(files: Parts): string[] {
  return [...new Set(files.map(({ name }) => name))].map((service) => {
    const own = files.filter(({ name }) => name === service);
    const bytes = own.reduce((sum, { originalBytes }) => sum + originalBytes, 0);
    const databases = own.flatMap(({ kind, path = "" }) => (kind === "sqlite" ? [path] : []));
    const what = databases.length > 0 ? `, ${databases.join(", ")} among them` : "";
    return `  the files of ${service} (${size(bytes)}${what}) take the place of those that are there, which are kept in ${service}.before_<now>; ${service} is stopped for that`;
  });
}

/** Ctrl-C waits: the services are stopped for seconds, and must not stay so. */
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
    } finally {
      process.off("SIGINT", wait);
    }
  };

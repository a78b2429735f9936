/** `npm run adopt -- data <stack> --from <server>`: files and databases of an app on a plain server into a stack. */
import { Fault } from "../../../local/fault";
import { step } from "../../../local/progress";
import { swarmEngine } from "../../../providers/swarm/docker/swarm-engine";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { PSQL_FLAGS } from "../../migrate/psql";
import { psqlByPooler } from "../../migrate/sqlite";
import { agree, mustBeAskable } from "../../operator/agree";
import { runInside, runningTasks } from "../../operator/one-off";
import { findTarget, managerOf, type Target } from "../../operator/target";
import { Host } from "./host";
import { type Moves, moveForGood, rehearse, VolumeMove } from "./move";
import { type DumpTarget, PostgresMove } from "./postgres";
import { type DataReport, describeData, describePlan, type Planned } from "./report";
import { type Container, Source, type SourceOptions } from "./source";
import { SqliteMove } from "./sqlite";
import { Directory } from "./tree";
import { ServiceVolume } from "./volume";

export interface DataOptions extends SourceOptions {
  /** `<volume or path>=<service>` each. */
  readonly volume?: readonly string[];
  readonly postgres?: string;
  readonly sqlite?: string;
  /** @default "app" */
  readonly database: string;
  readonly replace?: boolean;
  readonly rehearse?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly cloud?: boolean;
}

/** @returns 0 when everything asked for was done and is the same, 1 when something stands in the way. */
export async function adoptData(stack: string, options: DataOptions): Promise<number> {
  const wanted = readVolumes(options.volume ?? []);
  if (wanted.length === 0 && options.postgres === undefined && options.sqlite === undefined) {
    throw new Fault(
      "What shall move? Name it by --volume, --postgres or --sqlite; npm run adopt -- compose prints the whole command.",
    );
  }
  if (options.postgres !== undefined && options.sqlite !== undefined) {
    throw new Fault(
      "--postgres and --sqlite are two sources of one database: run the command for each, with --database.",
    );
  }
  const interruption = new AbortController();
  const interrupt = () =>
    interruption.abort(new Fault("Interrupted: run the command again, it goes on where it was."));
  process.once("SIGINT", interrupt);
  const target = await findTarget(stack, options.cloud ?? false);
  let database: PostgresMove | undefined;
  try {
    const source = await Source.open(options, interruption.signal);
    const moves = await findMoves(source, target, wanted, options, interruption.signal);
    database = moves.databases[0];
    const report = await run(source, target, moves, options);
    process.stdout.write(
      options.json
        ? `${JSON.stringify(report)}\n`
        : describeData(report, { stack, from: source.host.name }),
    );
    return report.outcome === "refused" ? 1 : 0;
  } finally {
    process.removeListener("SIGINT", interrupt);
    await database?.close();
    closeConnections();
  }
}

interface FoundMoves extends Moves {
  readonly databases: readonly PostgresMove[];
  /** Container of the source's PostgreSQL, which goes on while all others stop. */
  readonly container: string | undefined;
}

async function findMoves(
  source: Source,
  target: Target,
  wanted: readonly { readonly what: string; readonly service: string }[],
  options: DataOptions,
  signal: AbortSignal,
): Promise<FoundMoves> {
  const [node] = target.outputs.nodes;
  if (!node) throw new Fault(`The stack ${target.stack} has no nodes: bring it up first.`);
  const host = Host.node(node, signal);
  const volumes: VolumeMove[] = [];
  for (const { what, service } of wanted) {
    if (target.outputs.services[service] === undefined) {
      const there = Object.keys(target.outputs.services).join(", ");
      throw new Fault(`${target.stack} has no service ${service}: it has ${there}.`);
    }
    const volume = new ServiceVolume(host, service);
    await volume.mustExist();
    volumes.push(
      new VolumeMove(new Directory(source.host, await source.directoryOf(what)), volume),
    );
  }
  const { postgres: name, sqlite } = options;
  const postgres = name === undefined ? undefined : await source.postgres(name);
  const file = sqlite === undefined ? undefined : await source.fileOf(sqlite);
  return {
    volumes,
    container: postgres?.container,
    databases: postgres
      ? [PostgresMove.open(postgres, await serverOf(target), options.database)]
      : [],
    sqlite: file === undefined ? undefined : await sqliteMove(source.host, file, target, options),
  };
}

async function sqliteMove(
  host: Host,
  file: string,
  target: Target,
  { database, replace = false }: DataOptions,
): Promise<SqliteMove> {
  return new SqliteMove(host, file, await psqlByPooler(target, database), { database, replace });
}

/** The stack's PostgreSQL, as its superuser by its socket. */
export async function serverOf(target: Target): Promise<DumpTarget> {
  const [task] = await runningTasks(target, "postgres");
  if (!task) {
    throw new Fault(
      `${target.stack} runs no PostgreSQL of its own: set archipelago:database: container and run up. From there npm run migrate -- postgres leads to a managed one.`,
    );
  }
  const words = ["psql", ...PSQL_FLAGS, "-h", "/run/postgresql", "-d"];
  return {
    psql: (database) => (streams) => runInside(task, [...words, database], streams, "postgres"),
  };
}

async function run(
  source: Source,
  target: Target,
  moves: FoundMoves,
  options: DataOptions,
): Promise<DataReport> {
  const started = Date.now();
  const planned = await step("Looking at what is there", () => look(moves));
  const report = (outcome: DataReport["outcome"], more: Partial<DataReport> = {}): DataReport => ({
    outcome,
    ...planned,
    seconds: (Date.now() - started) / 1000,
    ...more,
  });
  if (planned.faults.length > 0) return report("refused");
  if (!options.json) process.stderr.write(describePlan(planned));
  if (options.dryRun) return report("planned");
  if (options.rehearse) return report("rehearsed", { moved: await rehearse(moves) });
  const except = moves.container === undefined ? [] : [moves.container];
  const writers = (await source.containers()).filter(({ id }) => !except.includes(id));
  const names = writers.map(({ service }) => service).join(", ");
  if (!options.yes) mustBeAskable();
  let stopped: readonly Container[] = [];
  const replicas = Object.fromEntries(
    moves.volumes.map(({ to: { service } }) => [
      service,
      target.outputs.services[service]?.replicas ?? 1,
    ]),
  );
  const moved = await moveForGood(moves, {
    stop: async () => {
      if (!options.yes) await askToStop(source.host.name, names, target.stack);
      stopped = await step(`Stopping ${names || "nothing"}`, () => source.stop(except));
    },
    start: () => source.start(stopped),
    engine: swarmEngine(await managerOf(target)),
    replicas,
    label: new Date()
      .toISOString()
      .replace(/\.\d+|[-:]/g, "")
      .toLowerCase(),
  });
  return report("moved", { moved });
}

/** @throws {Fault} when the operator does not want it. */
async function askToStop(server: string, names: string, stack: string): Promise<void> {
  process.stderr.write(
    names === ""
      ? `Everything is copied but what changes from now on. Stop what writes to it on ${server}, and leave it so.\n`
      : `Everything is copied but what changes from now on. Now ${names} on ${server} stop, and stay so: docker start brings them back.\n`,
  );
  if (await agree(stack)) return;
  throw new Fault(
    "Nothing was stopped, and the app goes on. What was copied stays for the next time.",
  );
}

async function look({ volumes, databases: [postgres], sqlite }: FoundMoves): Promise<Planned> {
  const faults: string[] = [];
  const found: Planned["volumes"][number][] = [];
  for (const volume of volumes) {
    const { tree } = await volume.list();
    const files = [...tree.values()].filter(({ type }) => type !== "d");
    const bytes = files.reduce((sum, one) => sum + one.bytes, 0);
    found.push({ service: volume.to.service, from: volume.from.path, files: files.length, bytes });
  }
  const database = await postgres?.look();
  const file = await sqlite?.look();
  faults.push(...(database?.faults ?? []), ...(file?.faults ?? []));
  const needed = found.reduce((sum, { bytes }) => sum + bytes, 0) + (database?.bytes ?? 0);
  const [first] = volumes;
  const room = first && (await first.to.room());
  if (room !== undefined && needed > room) {
    faults.push(
      `it needs ${needed} bytes on the stack's Volume, and ${room} are free: raise archipelago:database: { volumeGib: … } and run up`,
    );
  }
  const notes = [...(database?.notes ?? []), ...(file?.notes ?? [])];
  return { volumes: found, database, sqlite: file, faults, notes };
}

/** `storage=web` */
function readVolumes(words: readonly string[]) {
  return words.map((word) => {
    const [, what, service] = /^(.+)=([a-z0-9-]+)$/.exec(word) ?? [];
    if (what !== undefined && service !== undefined) return { what, service };
    throw new Fault(
      `--volume must be <volume or directory>=<service>, such as storage=web, got ${word}.`,
    );
  });
}

/** Reads one of the two stacks of a switch, and reaches what it keeps. */
import { VOLUME_MOUNT } from "../../infra/names";
import { Fault } from "../../local/fault";
import { Host } from "../adopt/data/host";
import { conversation } from "../adopt/data/source";
import { type DumpSource } from "../adopt/data/postgres";
import { PSQL_FLAGS } from "../migrate/psql";
import { runInside, runningTasks } from "../operator/one-off";
import { findTarget, type Target } from "../operator/target";
import { exportState, type RunPulumi } from "../stack-state";
import { pulumiOn } from "../stack-pulumi";
import type { Party } from "./look";
import { frontOf } from "./state";

export interface Side extends Party {
  readonly target: Target;
  readonly isLocal: boolean;
  readonly pulumi: RunPulumi;
  /** The node that has the Volume. */
  readonly host: Host;
}

/** @throws {Fault} when the stack is not up, or its node cannot be reached. */
export async function readSide(stack: string, cloud: boolean, signal: AbortSignal): Promise<Side> {
  const pulumi = await pulumiOn(stack, cloud);
  const target = await findTarget(stack, cloud);
  const [node] = target.outputs.nodes;
  if (!node) throw new Fault(`The stack ${stack} has no nodes: bring it up first.`);
  const host = Host.node(node, signal);
  const run: RunPulumi = (words) => pulumi.run(words);
  const kept = await host.output(`ls ${VOLUME_MOUNT}/services 2>/dev/null || :`);
  const services = Object.keys(target.outputs.services);
  return {
    stack,
    target,
    isLocal: pulumi.isLocal,
    pulumi: run,
    host,
    outputs: target.outputs,
    front: frontOf(await exportState(run)),
    databases: await databasesOf(target),
    withFiles: kept.split("\n").filter((name) => services.includes(name)),
  };
}

/** Each has an owner of its name, whom the pooler lets in. */
async function databasesOf(target: Target): Promise<string[]> {
  const [pooler] = await runningTasks(target, "pgbouncer");
  const [server] = await runningTasks(target, "postgres");
  if (!pooler || !server) return [];
  let users = "";
  await runInside(pooler, ["cat", "/run/secrets/pgbouncer-users"], {
    onStdout: (chunk) => (users += chunk.toString()),
  });
  return [...users.matchAll(/^"([^"]+)"/gm)].map(([, name = ""]) => name);
}

/** A stack's PostgreSQL on its node, as its superuser by its socket. @throws {Fault} when it does not run. */
export async function dumpSource({ target, host }: Side, database: string): Promise<DumpSource> {
  const [task] = await runningTasks(target, "postgres");
  if (!task) throw new Fault(`No task of postgres runs in ${target.stack}.`);
  const start = (program: string, ...words: readonly string[]) =>
    host.start(
      'container=$1; shift; exec docker exec -i -u postgres "$container" "$@"',
      task.container.id,
      program,
      ...["-h", "/run/postgresql", "-d", database],
      ...words,
    );
  return {
    psql: (streams) => conversation(start("psql", ...PSQL_FLAGS), streams),
    dump: (words) => start("pg_dump", ...words),
  };
}

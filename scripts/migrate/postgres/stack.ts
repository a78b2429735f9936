/** The two servers of a stack that moves its database, and the poolers before them. */
import type Docker from "dockerode";
import { Fault } from "../../../local/fault";
import { runInside, type RunningTask, runningTasks } from "../../operator/one-off";
import type { Target } from "../../operator/target";
import { PSQL_FLAGS, Psql, type StartPsql } from "../psql";
import { openSide, type Side } from "./side";
import { type CopyJob, copyScript } from "./snapshot";
import { HeldPoolers, holdCommand } from "./hold";
import type { Poolers } from "./switch";

export type Engine = "container" | "managed";

const CA_FILE = "/archipelago/server-ca.pem";
const SERVERS_FILE = "/run/secrets/pgbouncer-servers";
const POOLER_USER = "65534";
const CHOOSE_SCRIPT = "/archipelago/choose-server";

/** PgBouncer's console, as who is in its task reaches it. */
const CONSOLE = ["PGHOST=/tmp", "PGPORT=6432", "PGUSER=pgbouncer"];

export class StackServers {
  private constructor(
    private readonly container: RunningTask,
    private readonly poolerTasks: readonly RunningTask[],
    /** The app's databases, each with a user of its name. */
    readonly databases: readonly string[],
  ) {}

  /** @throws {Fault} when the stack does not have both servers. */
  static async find(target: Target): Promise<StackServers> {
    const { servers, hasBoth } = await StackServers.look(target);
    if (hasBoth) return servers;
    throw new Fault(
      `${target.stack} has one database server. Set archipelago:database: { engine: container, migrateTo: managed } and run up: both are there then, and the app stays where it is.`,
    );
  }

  /** @throws {Fault} unless a container is the stack's only server. */
  static async container(target: Target): Promise<StackServers> {
    const { servers, hasBoth } = await StackServers.look(target);
    if (!hasBoth) return servers;
    throw new Fault(
      `${target.stack} moves its database between two servers already. End that first: archipelago:database: { engine: container }, or migratedFrom.`,
    );
  }

  /** Whether a pooler of these leads to one of two servers. */
  static async hasBoth([pooler]: readonly RunningTask[]): Promise<boolean> {
    if (!pooler) return false;
    return (await runInside(pooler, ["test", "-e", "/run/secrets/pgbouncer-container"])) === 0;
  }

  /** @throws {Fault} when the stack has no container. */
  private static async look(target: Target) {
    const poolerTasks = await runningTasks(target, "pgbouncer");
    const [pooler] = poolerTasks;
    if (!pooler) throw new Fault(`No task of pgbouncer runs in ${target.stack}.`);
    const users = await output(pooler, ["cat", "/run/secrets/pgbouncer-users"]);
    const hasBoth = await StackServers.hasBoth(poolerTasks);
    const [container] = await runningTasks(target, "postgres");
    if (!container) {
      throw new Fault(
        `No task of postgres runs in ${target.stack}. What comes from elsewhere comes into a container first (archipelago:database: { engine: container }), and moves to a managed server from there.`,
      );
    }
    const databases = [...users.matchAll(/^"([^"]+)"/gm)].map(([, name = ""]) => name);
    return {
      servers: new StackServers(container, poolerTasks, databases),
      hasBoth,
    };
  }

  /** Sessions in a database of one of the two. */
  side(engine: Engine, database: string): Promise<Side> {
    return openSide(() => new Psql(this.session(engine, database)), database);
  }

  /** A session of the replication protocol. */
  replication(engine: Engine, database: string): StartPsql {
    return this.session(engine, database, " replication=database");
  }

  session(engine: Engine, database: string, more = ""): StartPsql {
    if (engine === "container") {
      const words = [
        "psql",
        ...PSQL_FLAGS,
        "-h",
        "/run/postgresql",
        "-d",
        `dbname=${database}${more}`,
      ];
      return (streams) => runInside(this.container, words, streams, "postgres");
    }
    const [pooler] = this.poolerTasks;
    if (!pooler) throw new Error("there is a pooler");
    const script = `PGSERVICEFILE=${SERVERS_FILE} exec psql ${PSQL_FLAGS.join(" ")} "service=managed-admin dbname=$1$2"`;
    return (streams) =>
      runInside(pooler, ["sh", "-euc", script, "sh", database, more], streams, POOLER_USER);
  }

  /** Dumps and restores in the container's task, which reaches both. @throws {Error} with what either of them complained of. */
  async copy(from: Engine, database: string, job: CopyJob): Promise<void> {
    const [pooler] = this.poolerTasks;
    if (!pooler) throw new Error("there is a pooler");
    const [servers, ca] = await Promise.all([
      output(pooler, ["cat", SERVERS_FILE]),
      output(pooler, ["cat", CA_FILE]),
    ]);
    const local = `-h /run/postgresql -d ${database}`;
    const managed = `"service=managed-admin dbname=${database}"`;
    const [dump, restore] = from === "container" ? [local, managed] : [managed, local];
    // What opens the other server comes on standard input, and lies in memory while it is used.
    const script = `
umask 077
dir=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$dir"' EXIT
while IFS= read -r line && [ "$line" != -- ]; do printf '%s\\n' "$line"; done | sed "s#${CA_FILE}#$dir/ca#" >"$dir/servers"
cat >"$dir/ca"
export PGSERVICEFILE="$dir/servers"
${copyScript(job, { dump, restore, role: database })}`;
    let stderr = "";
    const code = await runInside(
      this.container,
      ["sh", "-euc", script],
      {
        stdin: `${servers.trim()}\n--\n${ca}`,
        onStderr: (chunk) => (stderr = (stderr + chunk.toString()).slice(-4096)),
      },
      "postgres",
    );
    if (code !== 0) throw new Fault(`The copy failed, and left nothing: ${stderr.trim()}`);
  }

  /** Every pooler. */
  poolers(): Poolers {
    const command = ["env", ...CONSOLE, ...holdCommand(CHOOSE_SCRIPT)];
    return new HeldPoolers(
      this.poolerTasks.map((task) => (streams) => runInside(task, command, streams, POOLER_USER)),
    );
  }
}

async function output(
  task: { engine: Docker; container: Docker.Container },
  command: readonly string[],
) {
  let text = "";
  const code = await runInside(task, command, { onStdout: (chunk) => (text += chunk.toString()) });
  if (code !== 0)
    throw new Fault(
      `${command.join(" ")} failed in a task of pgbouncer: is the stack up to date? Run up.`,
    );
  return text;
}

/** Real servers on loopback, each with a directory of its own, for tests and benchmarks of migrations. */
import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localProgram, Psql, PSQL_FLAGS, type StartPsql } from "../migrate/psql";
import { freePort } from "./free-port";

const isRoot = process.getuid?.() === 0;

/** Directory of a PostgreSQL server's programs, as Debian installs them; undefined when there is none. */
export function postgresBin(): string | undefined {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return undefined;
  return readdirSync(root)
    .map((version) => join(root, version, "bin"))
    .reverse()
    .find((bin) => existsSync(join(bin, "initdb")));
}

/** An older major, where npm has its programs for this platform. */
export function olderPostgresBin(): string | undefined {
  const bin = join(__dirname, "../../node_modules/postgres-13/native/bin");
  // A link that the package makes when it is installed.
  return existsSync(join(bin, "../lib/libpq.so.5")) ? bin : postgresBin();
}

/** PostgreSQL as the container engine sets it up: UTF-8, collation C, logical decoding. */
export class PostgresServer {
  private constructor(
    readonly port: number,
    readonly dir: string,
    private readonly bin: string,
  ) {}

  /** @param bin of another major. */
  static async start(bin = postgresBin()): Promise<PostgresServer> {
    if (bin === undefined) throw new Error("PostgreSQL is missing: npm test installs it");
    const dir = mkdtempSync(join(tmpdir(), "migrate-postgres-"));
    if (isRoot) spawnSync("chown", ["nobody", dir]);
    const server = new PostgresServer(await freePort(), dir, bin);
    const data = join(dir, "db");
    const plain = ["--encoding=UTF8", "--locale=C", "-A", "trust", "-U", "postgres", "-N"];
    server.program("initdb", ["-D", data, ...plain]);
    const options = [
      `-p ${server.port} -k ${dir} -c listen_addresses=127.0.0.1`,
      "-c fsync=off -c wal_level=logical -c max_wal_senders=10 -c max_replication_slots=10",
    ];
    server.program("pg_ctl", [
      "-D",
      data,
      "-l",
      join(dir, "log"),
      "-w",
      "-o",
      options.join(" "),
      "start",
    ]);
    return server;
  }

  /** An empty database with an owner of its name. */
  async database(name: string): Promise<void> {
    const psql = this.psql("postgres", "postgres");
    await psql.run(`CREATE ROLE "${name}" LOGIN PASSWORD '${name}';`);
    await psql.run(`CREATE DATABASE "${name}" OWNER "${name}";`);
    await psql.end();
  }

  /** @param started gets psql's process, to kill it. */
  psql(database: string, user = database, started?: (child: ChildProcess) => void): Psql {
    return new Psql(this.session(database, user, started));
  }

  session(database: string, user: string, started?: (child: ChildProcess) => void): StartPsql {
    const where = ["-h", "127.0.0.1", "-p", String(this.port), "-U", user, "-d", database];
    return localPsql(where, started);
  }

  stop(): void {
    this.program("pg_ctl", ["-D", join(this.dir, "db"), "-m", "immediate", "-w", "stop"]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  private program(name: string, args: readonly string[]): void {
    run([join(this.bin, name), ...args], this.dir);
  }
}

/** @param started gets the process, to kill it. */
export function localPsql(
  where: readonly string[],
  started?: (child: ChildProcess) => void,
): StartPsql {
  return localProgram(["psql", ...PSQL_FLAGS, ...where], { started });
}

/** As `nobody` where we are root: the servers refuse to run as root. */
export function asNobody(command: readonly string[]): string[] {
  return isRoot ? ["setpriv", "--reuid=nobody", "--clear-groups", ...command] : [...command];
}

function run(command: readonly string[], cwd: string): void {
  const [file = "", ...args] = asNobody(command);
  const { status, stderr } = spawnSync(file, args, {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`${command[0]} failed: ${stderr.toString()}`);
}

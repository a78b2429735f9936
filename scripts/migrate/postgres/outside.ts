/** A PostgreSQL server that is no stack's: reached from here with the client programs of this machine, as libpq is told to. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { Fault } from "../../../local/fault";
import { identifier } from "../names";
import { localProgram, Psql, PSQL_FLAGS, type StartPsql } from "../psql";
import { APPLICATION, databaseGate } from "./gate";
import type { Finding } from "./preflight";
import { openSide, type Side } from "./side";
import { type CopyJob, dumpFlags } from "./snapshot";

/** The oldest major that is tried. Logical decoding of TRUNCATE, and slots that move on by themselves, came with it. */
const OLDEST = 11;

export class OutsideServer {
  private constructor(
    /** As `--from` says it. */
    readonly label: string,
    /** For libpq: the login is in its service file, its variables, or ~/.pgpass, and on no command line. */
    private readonly conninfo: string,
    readonly database: string,
    private readonly role: string,
  ) {}

  /** @returns undefined for what names a stack. */
  static parse(text: string): { label: string; conninfo: string } | undefined {
    if (text === "env") return { label: text, conninfo: "" };
    const [, service] = /^service:(.+)$/.exec(text) ?? [];
    if (service === undefined) return undefined;
    const quoted = service.replace(/[\\']/g, (one) => `\\${one}`);
    return { label: text, conninfo: `service='${quoted}'` };
  }

  /** @throws {Fault} when it cannot be reached, or this machine lacks a program. */
  static async find({ label, conninfo }: { label: string; conninfo: string }) {
    const { error } = spawnSync("psql", ["--version"]);
    if (error) {
      throw new Fault("psql is missing here: apt-get install postgresql-client.");
    }
    const psql = new Psql(session(conninfo));
    try {
      const told = await psql.value(`
        SELECT current_database() || '|' || CASE WHEN pg_has_role(datdba, 'MEMBER') THEN pg_get_userbyid(datdba) ELSE current_user END
        FROM pg_database WHERE datname = current_database();`);
      const [database = "", role = ""] = told.split("|");
      return new OutsideServer(label, conninfo, database, role);
    } catch (reason) {
      throw new Fault(`${label} cannot be reached: ${(reason as Error).message}`);
    } finally {
      await psql.end();
    }
  }

  side(): Promise<Side> {
    const open = () => new Psql(session(this.conninfo));
    return openSide(open, this.role, databaseGate(this.database));
  }

  /** A session of the replication protocol. */
  replication(): StartPsql {
    return session(`${this.conninfo} replication=database`);
  }

  /** What a server must let us do, besides what any must. */
  async preflight({ admin }: Side): Promise<Finding[]> {
    const faults: Finding[] = [];
    const version = Number(await admin.value("SHOW server_version_num;"));
    if (version < OLDEST * 10_000) {
      faults.push({ at: "version", says: `must be PostgreSQL ${OLDEST} or later, got ${version}` });
    }
    const { stdout } = spawnSync("pg_dump", ["--version"], { encoding: "utf8" });
    const [, dumper = "none"] = /(\d+)/.exec(String(stdout)) ?? [];
    if (!(Number(dumper) >= Math.floor(version / 10_000))) {
      faults.push({
        at: "pg_dump",
        says: `of this machine must be as new as the server (${Math.floor(version / 10_000)}), got ${dumper}`,
      });
    }
    const may = await admin.value(
      "SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user;",
    );
    if (may !== "t") {
      faults.push({ at: this.label, says: "must be a login with REPLICATION, or a superuser" });
    }
    const foreign = await admin.run(`
      SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT pg_has_role(c.relowner, 'MEMBER');`);
    const mayShut = await admin.value(
      "SELECT pg_has_role(datdba, 'MEMBER') AND has_database_privilege(datname, 'CREATE') FROM pg_database WHERE datname = current_database();",
    );
    if (mayShut !== "t") {
      faults.push({ at: this.database, says: "must belong to the login that is used" });
    }
    return [
      ...faults,
      ...foreign.map((at) => ({ at, says: "must belong to the login that is used" })),
    ];
  }

  /**
   * Dumps here, into a session of the target: one transaction, which the end of this process takes back.
   *
   * @param role owner on the target.
   */
  async copy({ snapshot, last }: CopyJob, role: string, openTarget: StartPsql): Promise<void> {
    const target = new Psql(openTarget);
    try {
      await target.run(`\\o /dev/null\nBEGIN; SET ROLE ${identifier(role)};`);
      await this.dump(snapshot, (chunk) => target.write(chunk));
      await target.run(`${last} COMMIT;`);
    } catch (error) {
      throw new Fault(`The copy failed, and left nothing: ${(error as Error).message}`);
    } finally {
      await target.end();
    }
  }

  private async dump(snapshot: string, take: (chunk: Buffer) => Promise<void>): Promise<void> {
    const child = spawn("pg_dump", ["-w", "-d", this.conninfo, ...dumpFlags(snapshot)], {
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4096)));
    const closed = once(child, "close") as Promise<[number]>;
    closed.catch(() => undefined);
    try {
      // At once: Node.js throws away what a program that has ended printed while nobody read it.
      for await (const chunk of child.stdout) await take(chunk as Buffer);
      const [code] = await closed;
      if (code !== 0) throw new Error(stderr.trim());
    } finally {
      child.kill();
    }
  }
}

/** libpq's own, and: told from others' sessions, and not held up by the gate. */
function environment(): NodeJS.ProcessEnv {
  const options = `${process.env.PGOPTIONS ?? ""} -c default_transaction_read_only=off`;
  return { ...process.env, PGAPPNAME: APPLICATION, PGOPTIONS: options.trim() };
}

const session = (conninfo: string): StartPsql =>
  localProgram(["psql", "-w", ...PSQL_FLAGS, "-d", conninfo], {
    env: environment(),
    detached: true,
  });

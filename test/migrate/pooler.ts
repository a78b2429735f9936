/** PgBouncer before two servers, as in a stack: with its own script that finds the one that lets the app in. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { PostgresPool } from "../../examples/notes/src/postgres-pool";
import { freePort } from "../../scripts/bench/free-port";
import { HeldPoolers, holdCommand } from "../../scripts/migrate/postgres/hold";
import { localProgram } from "../../scripts/migrate/psql";
import { missingPrograms } from "../acme/harness";
import { eventually } from "../unit/examples/harness";
import { asNobody, type PostgresServer } from "./servers";

export class Pooler {
  private readonly dir = mkdtempSync(join(tmpdir(), "migrate-pgbouncer-"));
  private readonly choose = join(this.dir, "choose-server");
  private child: ChildProcess | undefined;

  private constructor(
    private readonly port: number,
    private readonly database: string,
  ) {}

  /** @param servers of which the first that lets the database's user in is led to. */
  static async start(database: string, container: PostgresServer, managed: PostgresServer) {
    if (missingPrograms(["pgbouncer"]).length > 0)
      throw new Error("pgbouncer is missing: npm test installs it");
    const pooler = new Pooler(await freePort(), database);
    pooler.write(container, managed);
    const command = asNobody(["sh", "-euc", `sh "$1"; exec pgbouncer -q "$2"`, "sh"]);
    const [file = "", ...args] = [...command, pooler.choose, join(pooler.dir, "ini")];
    pooler.child = spawn(file, args, { stdio: "ignore", env: pooler.env });
    await eventually(async () => {
      const pool = pooler.pool(1);
      await pool.query("SELECT 1").finally(() => pool.end());
    });
    return pooler;
  }

  pool(max = 4): Pool {
    const pool = new Pool({ ...this.login, max });
    pool.on("error", () => undefined);
    return pool;
  }

  /** The sample app's. */
  askingAgain(max = 4): PostgresPool {
    return new PostgresPool({ ...this.login, max });
  }

  poolers(): HeldPoolers {
    return new HeldPoolers([localProgram(asNobody(holdCommand(this.choose)), { env: this.env })]);
  }

  stop(): void {
    this.child?.kill("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }

  private get login() {
    const { port, database } = this;
    return { host: "127.0.0.1", port, user: database, password: database, database };
  }

  private get env() {
    const console = { PGHOST: this.dir, PGPORT: String(this.port), PGUSER: "pgbouncer" };
    return { ...process.env, ...console, SERVERS: "container managed" };
  }

  private write(container: PostgresServer, managed: PostgresServer): void {
    const { dir, port, database } = this;
    const file = (name: string, lines: string[]) =>
      writeFileSync(join(dir, name), `${lines.join("\n")}\n`);
    file("users", [`"${database}" "${database}"`]);
    file("ini", [
      "[pgbouncer]",
      `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir = ${dir}`,
      `auth_type = plain\nauth_file = ${dir}/users\npool_mode = session\nserver_login_retry = 1`,
      `%include ${dir}/server.ini`,
    ]);
    const servers = { container, managed };
    for (const [name, server] of Object.entries(servers)) {
      const place = `host=127.0.0.1 port=${server.port}`;
      file(`pgbouncer-${name}`, ["[databases]", `${database} = ${place}`]);
    }
    file(
      "pgbouncer-servers",
      Object.entries(servers).map(
        ([name, server]) =>
          `[${name}]\nhost=127.0.0.1\nport=${server.port}\nuser=${database}\ndbname=${database}`,
      ),
    );
    const script = readFileSync(
      join(__dirname, "../../components/pgbouncer/choose-server"),
      "utf8",
    );
    file("choose-server", [
      script.replaceAll("/run/secrets", dir).replaceAll("/tmp/server.ini", `${dir}/server.ini`),
    ]);
    spawnSync("chown", ["-R", "nobody", dir]);
  }
}

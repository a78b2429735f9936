import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../scripts/bench/free-port";
import { postgresBin } from "../../../scripts/bench/throwaway-postgres";

export { postgresBin };

const EXAMPLE = join(__dirname, "../../../examples/notes");

/** Bundles the app as its image gets it, into a directory of the test's own. */
export function buildApp(dir: string): string {
  const outfile = join(dir, "server.js");
  const { status, stderr } = spawnSync(
    "npm",
    ["run", "build", "--loglevel=error", "--", `--outfile=${outfile}`],
    { cwd: EXAMPLE },
  );
  if (status !== 0) throw new Error(stderr.toString());
  return outfile;
}

export const scratchDir = (name: string) => mkdtempSync(join(tmpdir(), `${name}-`));

/** Waits for a condition. */
export async function eventually<T>(check: () => Promise<T> | T, seconds = 10): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The app as a process. */
export class App {
  output = "";
  readonly exit: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(
    script: string,
    readonly port: number,
    env: NodeJS.ProcessEnv,
    args: readonly string[] = [],
    node = process.execPath,
  ) {
    this.child = spawn(node, [script, ...args], {
      env: { PATH: process.env.PATH, HOST: "127.0.0.1", PORT: String(port), ...env },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.exit = new Promise((resolve) => this.child.once("close", (code) => resolve(code)));
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  signal(name: NodeJS.Signals) {
    this.child.kill(name);
  }
}

/** Whether this Node.js has SQLite built in: 22.13 and later do. */
export const hasSqlite = (node: string) =>
  spawnSync(node, ["--no-warnings", "-e", 'require("node:sqlite")']).status === 0;

/** A PostgreSQL server of our own on loopback. It refuses to run as root, hence `nobody` there. */
export class Postgres {
  private constructor(
    readonly url: string,
    private readonly dir: string,
    private readonly bin: string,
  ) {}

  static async start(bin: string): Promise<Postgres> {
    const dir = scratchDir("notes-postgres");
    const port = await freePort();
    const postgres = new Postgres(`postgres://notes@127.0.0.1:${port}/postgres`, dir, bin);
    if (process.getuid?.() === 0) spawnSync("chown", ["nobody", dir]);
    postgres.command("initdb", ["-D", join(dir, "db"), "-U", "notes", "-A", "trust", "-N"]);
    const options = `-p ${port} -k ${dir} -c listen_addresses=127.0.0.1 -c fsync=off`;
    postgres.command("pg_ctl", [
      "-D",
      join(dir, "db"),
      "-l",
      join(dir, "log"),
      "-w",
      "-o",
      options,
      "start",
    ]);
    return postgres;
  }

  stop() {
    this.command("pg_ctl", ["-D", join(this.dir, "db"), "-m", "immediate", "-w", "stop"]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  private command(program: string, args: readonly string[]) {
    const command = [join(this.bin, program), ...args];
    const [file = "", ...rest] =
      process.getuid?.() === 0
        ? ["setpriv", "--reuid=nobody", "--clear-groups", ...command]
        : command;
    const { status, stderr } = spawnSync(file, rest, {
      cwd: this.dir,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 60_000,
    });
    if (status !== 0) throw new Error(`${program} failed: ${stderr.toString()}`);
  }
}

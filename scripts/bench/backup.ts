/** How fast the backup agent saves and restores a managed database, beside `pg_dump` and `pg_restore` of the same server. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newAgeKey } from "../../components/backup/age-key";
import type { BackupSettings, ManagedServer } from "../../components/backup/settings";
import { Fault } from "../../local/fault";
import { type AgentRun, runAgent } from "./agent-process";
import { MIB, ratio, run, RUNS, seconds } from "./beside";
import { median, type Figure } from "./report";
import { makeServerCertificate } from "./throwaway-certificates";
import { serveBucket, serveSftp } from "./throwaway-places";
import { postgresBin, PostgresServer } from "./throwaway-postgres";

const SMALL_MIB = 100;
const LARGE_MIB = 1024;

const ADMINISTRATOR = "doadmin";
const DATABASE = "shop";

/** Rows as an app has them, of which a quarter is noise; about `mib` MiB with the index. */
const tablesOf = (mib: number) => `
SET client_min_messages TO warning;
DROP TABLE IF EXISTS events;
CREATE TABLE events (id bigint PRIMARY KEY, user_id bigint NOT NULL, at timestamptz NOT NULL, amount double precision, kind text, body text);
INSERT INTO events SELECT n, n % 10000, to_timestamp(n), n / 7.0, 'kind ' || n % 9, repeat('0', 70) || md5(n::text) || md5((-n)::text) || md5((n / 7.0)::text) FROM generate_series(1, ${Math.round(mib * 3900)}) n;
VACUUM ANALYZE events;`;

export async function backup(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), "archipelago-bench-backup-"));
  const server = await PostgresServer.start();
  const places = [await serveBucket(dir), await serveSftp(dir)] as const;
  try {
    const bench = new Bench(dir, server, await manage(server), {
      first: places[0].place,
      second: places[1].place,
    });
    return await bench.measure();
  } finally {
    for (const { process } of places) process.kill();
    server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The server as DigitalOcean runs it: TLS, and an administrator that is no superuser. */
async function manage(server: PostgresServer): Promise<ManagedServer> {
  const ca = makeServerCertificate(server.dir);
  const admin = server.psql("postgres", "postgres");
  const own = (file: string) => `'${join(server.dir, file)}'`;
  await admin.run(`ALTER SYSTEM SET ssl_cert_file TO ${own("server.crt")};`);
  await admin.run(`ALTER SYSTEM SET ssl_key_file TO ${own("server.key")};`);
  await admin.run("ALTER SYSTEM SET ssl TO on;");
  await admin.run("SELECT pg_reload_conf();");
  await admin.run(`CREATE ROLE ${ADMINISTRATOR} LOGIN CREATEDB CREATEROLE;`);
  for (const name of ["defaultdb", DATABASE]) {
    await admin.run(`CREATE DATABASE ${name} OWNER ${ADMINISTRATOR};`);
  }
  await admin.end();
  return {
    kind: "managed",
    host: "127.0.0.1",
    port: server.port,
    ca,
    user: ADMINISTRATOR,
    password: "",
    adminDatabase: "defaultdb",
    databases: [DATABASE],
    diskBytes: 2 ** 40,
  };
}

class Bench {
  private readonly keys = newAgeKey();
  private readonly settings: BackupSettings & { readonly server: ManagedServer };
  /** PostgreSQL's programs themselves, as in the agent's image: Debian's wrappers take a while to find them. */
  private readonly programs = { PATH: `${postgresBin() ?? ""}:${process.env.PATH ?? ""}` };
  /** How `pg_dump` and `pg_restore` reach the server: as the agent's do. */
  private readonly env: Readonly<Record<string, string>>;

  constructor(
    private readonly dir: string,
    private readonly server: PostgresServer,
    managed: ManagedServer,
    places: BackupSettings["places"],
  ) {
    this.settings = {
      stack: "shop",
      recipient: this.keys.recipient,
      schedule: "17 2 * * *",
      keep: { days: 7, weeks: 4, months: 6 },
      places,
      server: managed,
    };
    this.env = {
      ...this.programs,
      PGHOST: managed.host,
      PGPORT: String(managed.port),
      PGUSER: managed.user,
      PGSSLMODE: "verify-ca",
      PGSSLROOTCERT: join(server.dir, "ca.crt"),
    };
  }

  async measure(): Promise<Figure[]> {
    const small = await this.take(SMALL_MIB, RUNS);
    const large = await this.take(LARGE_MIB, 1);
    return [
      ...small.figures,
      ...large.figures,
      memory("backup", small.saved, large.saved),
      memory("restore", small.restored, large.restored),
    ];
  }

  /** Saves and restores so much, by the agent and plainly, in turns. */
  private async take(mib: number, turns: number) {
    const size = (await this.fill(mib)) / MIB;
    const saved: AgentRun[] = [];
    const restored: AgentRun[] = [];
    const dumps: number[] = [];
    const loads: number[] = [];
    for (let turn = 0; turn < turns; turn++) {
      // Before and after: what else the machine does changes meanwhile.
      dumps.push(await seconds(() => this.plainDump()));
      const run = await runAgent({ settings: this.settings }, this.programs);
      saved.push(run);
      dumps.push(await seconds(() => this.plainDump()));
      loads.push(await this.plainRestore());
      restored.push(await this.restore(run));
      loads.push(await this.plainRestore());
    }
    const compressed = `${(statSync(this.dump).size / MIB).toFixed(0)} MiB`;
    const took = (runs: readonly AgentRun[]) => runs.map((each) => each.seconds);
    const figures = [
      ratio(
        `backup of ${mib} MiB, encrypted, in two places, read back ÷ pg_dump -Fc | zstd`,
        took(saved),
        dumps,
        size,
        { ...phasesOf(saved), compressed },
      ),
      ratio(
        `restore of ${mib} MiB, each row verified ÷ zstd | pg_restore`,
        took(restored),
        loads,
        size,
        phasesOf(restored),
      ),
    ];
    return { figures, saved, restored };
  }

  private get dump(): string {
    return join(this.dir, "plain.dump.zst");
  }

  /** @returns bytes of the database. */
  private async fill(mib: number): Promise<number> {
    const psql = this.server.psql(DATABASE, ADMINISTRATOR);
    await psql.run(tablesOf(mib));
    const bytes = Number(await psql.value("SELECT pg_database_size(current_database());"));
    await psql.end();
    return bytes;
  }

  private plainDump(): Promise<void> {
    const line = `pg_dump -Fc -Z0 -d ${DATABASE} | zstd -q -c -3 >${this.dump}`;
    return run("sh", ["-euc", line], "", this.env);
  }

  /** @returns seconds that it took. */
  private async plainRestore(): Promise<number> {
    await run("createdb", ["plain"], "", this.env);
    const line = `zstd -q -d -c ${this.dump} | pg_restore --exit-on-error -d plain`;
    const took = await seconds(() => run("sh", ["-euc", line], "", this.env));
    await run("dropdb", ["plain"], "", this.env);
    return took;
  }

  private async restore({ done: { backup } }: AgentRun): Promise<AgentRun> {
    if (typeof backup !== "string") throw new Fault("The agent did not say which backup it made.");
    const request = {
      identity: this.keys.identity,
      from: "first",
      database: DATABASE,
      into: "again",
      dryRun: false,
    } as const;
    const task = { settings: this.settings, restore: { backup, request } };
    const restored = await runAgent(task, this.programs);
    await run("dropdb", ["again"], "", this.env);
    return restored;
  }
}

const peakOf = (runs: readonly AgentRun[]) => Math.max(...runs.map(({ peakMib }) => peakMib));

/** Medians of what the agent said it did. */
function phasesOf(runs: readonly AgentRun[]): Record<string, string> {
  const names = [...new Set(runs.flatMap(({ phases }) => phases.map(({ what }) => what)))];
  return Object.fromEntries(
    names.map((name) => {
      const took = runs.flatMap(({ phases }) => phases.filter(({ what }) => what === name));
      return [name, `${median(took.map((each) => each.seconds)).toFixed(1)} s`];
    }),
  );
}

function memory(task: string, small: readonly AgentRun[], large: readonly AgentRun[]): Figure {
  const [before, after] = [peakOf(small), peakOf(large)];
  return {
    figure: `${task}: memory of the agent and its programs for ${LARGE_MIB} MiB ÷ for ${SMALL_MIB} MiB`,
    value: after / before,
    unit: "ratio",
    goal: 1.25,
    details: { small: `${before.toFixed(0)} MiB`, large: `${after.toFixed(0)} MiB` },
  };
}

/** Real servers for backups: PostgreSQL, an S3 server, an SSH server. */
import { type ChildProcess, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { type AgeKey, newAgeKey } from "../../components/backup/age-key";
import { type Context, within } from "../../components/backup/agent/context";
import { rcloneConfig } from "../../components/backup/rclone";
import type { Event } from "../../components/backup/agent/progress";
import type { BackupSettings, BucketPlace, SftpPlace } from "../../components/backup/settings";
import { hasS3Program } from "../../local/s3/program";
import { serveBucket, serveSftp } from "../../scripts/bench/throwaway-places";
import { missingPrograms } from "../acme/harness";
import { postgresBin } from "../unit/examples/harness";

export const bin = postgresBin() ?? "";

/** What is not installed of what these tests talk to. */
export function missing(): string[] {
  const programs = missingPrograms(["rclone", "age", "zstd", "sqlite3", "sshd", "setpriv"]);
  return [
    ...programs,
    ...(bin ? [] : ["postgresql-15"]),
    ...(hasS3Program() ? [] : ["versitygw (npm test makes it)"]),
  ];
}

export const keys: AgeKey = newAgeKey();

export class Servers {
  readonly root = mkdtempSync(path.join(tmpdir(), "archipelago-backup-"));
  /** What a node has at the agent's POSTGRES_DIRECTORY. */
  readonly data = path.join(this.root, "postgres");
  private readonly children: ChildProcess[] = [];
  /** PostgreSQL's, which names its socket. */
  port = 5432;
  s3!: BucketPlace;
  sftp!: SftpPlace;

  /** @throws {Error} where programs are missing. */
  async start({ postgres = true } = {}): Promise<this> {
    const absent = missing();
    if (absent.length > 0) throw new Error(`not installed: ${absent.join(", ")}`);
    chmodSync(this.root, 0o755);
    process.env.PATH = `${bin}:${process.env.PATH ?? ""}:/usr/sbin`;
    if (postgres) this.startPostgres();
    const [s3, sftp] = await Promise.all([serveBucket(this.root), serveSftp(this.root)]);
    this.children.push(s3.process, sftp.process);
    this.s3 = s3.place;
    this.sftp = sftp.place;
    return this;
  }

  /** Writes the secret key, as an operator keeps it. @returns its file. */
  keyFile(): string {
    const file = path.join(this.root, "age.key");
    writeFileSync(file, `${keys.identity}\n`);
    return file;
  }

  settings(more: Partial<BackupSettings> = {}): BackupSettings {
    return {
      stack: "shop",
      recipient: keys.recipient,
      schedule: "17 2 * * *",
      keep: { days: 7, weeks: 4, months: 6 },
      places: { first: this.s3, second: this.sftp },
      server: { kind: "container", directory: this.data, databases: ["app"] },
      ...more,
    };
  }

  /** Runs a task of the agent. @returns what it did, and what it told. */
  async agent<T>(
    task: (context: Context) => Promise<T>,
    settings = this.settings(),
    now?: () => Date,
    stop = new AbortController(),
  ): Promise<{ result: T; told: Event[] }> {
    const told: Event[] = [];
    const tell = (event: Event) => void told.push(event);
    const given = { tell, signal: stop.signal, ...(now && { now }) };
    return { result: await within(settings, given, task), told };
  }

  sql(database: string, text: string): string {
    const { status, stdout, stderr } = spawnSync(
      "psql",
      [
        "-XqAt",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        path.join(this.data, "run"),
        "-p",
        String(this.port),
        "-U",
        "postgres",
        "-d",
        database,
      ],
      { input: text, encoding: "utf8", maxBuffer: 2 ** 28 },
    );
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  databases(): string[] {
    return this.sql(
      "postgres",
      "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1",
    ).split("\n");
  }

  /** Where the S3 server keeps a bucket's objects, as plain files. */
  get objects(): string {
    return path.join(this.root, "s3/backups/shop");
  }

  get copies(): string {
    return path.join(this.root, "copies/shop");
  }

  asPostgres(program: string, ...args: string[]): void {
    const root = process.getuid?.() === 0;
    const command = root
      ? ["runuser", "-u", "nobody", "--", path.join(bin, program), ...args]
      : [program, ...args];
    const { status, stderr, stdout } = spawnSync(command[0] ?? "", command.slice(1), {
      encoding: "utf8",
      cwd: this.root,
      timeout: 30_000,
    });
    if (status !== 0) throw new Error(`${program}: ${stderr}${stdout}`);
  }

  stop(): void {
    const data = path.join(this.data, "15");
    if (existsSync(data)) this.asPostgres("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop");
    for (const child of this.children) child.kill("SIGKILL");
    rmSync(this.root, { recursive: true, force: true });
  }

  private startPostgres(): void {
    for (const directory of ["", "run"]) mkdirSync(path.join(this.data, directory));
    if (process.getuid?.() === 0) spawnSync("chown", ["-R", "nobody", this.data]);
    const data = path.join(this.data, "15");
    this.asPostgres(
      "initdb",
      "-D",
      data,
      "-U",
      "postgres",
      "-A",
      "trust",
      "-N",
      "--locale=C",
      "-E",
      "UTF8",
    );
    this.configure({
      unix_socket_directories: path.join(this.data, "run"),
      listen_addresses: "",
      fsync: "off",
    });
    this.asPostgres("pg_ctl", "-D", data, "-l", path.join(this.data, "log"), "-w", "start");
    this.sql("postgres", "CREATE ROLE app LOGIN; CREATE ROLE own LOGIN");
    for (const name of ["app", "own"])
      this.sql("postgres", `CREATE DATABASE ${name} OWNER ${name}`);
  }

  private configure(options: Readonly<Record<string, string>>): void {
    const lines = Object.entries(options).map(([name, value]) => `${name} = '${value}'\n`);
    appendFileSync(path.join(this.data, "15/postgresql.conf"), lines.join(""));
  }

  restartPostgres(options: Readonly<Record<string, string>>): void {
    this.configure(options);
    this.asPostgres(
      "pg_ctl",
      "-D",
      path.join(this.data, "15"),
      "-l",
      path.join(this.data, "log"),
      "-m",
      "fast",
      "-w",
      "restart",
    );
  }

  /** Has the server archive its log in the first place, as a stack's does. */
  archiveLog(): void {
    const config = path.join(this.data, "archive.conf");
    writeFileSync(config, rcloneConfig("first", this.s3), { mode: 0o644 });
    const script = path.join(__dirname, "../../components/postgres/archive-wal");
    this.restartPostgres({
      archive_mode: "on",
      archive_command: `env -u AWS_CA_BUNDLE PATH=${bin}:/usr/bin:/bin ARCHIVE_CONFIG=${config} ARCHIVE_ROOT=first:backups/shop ARCHIVE_RECIPIENT=${keys.recipient} sh ${script} %p %f`,
    });
  }

  /** Waits until all that was written is archived. */
  awaitArchive(): void {
    // By now: the server itself writes to the next file every 15 seconds, which is not archived before it is full.
    const last = this.sql(
      "postgres",
      "CREATE TABLE IF NOT EXISTS tick (); SELECT pg_walfile_name(pg_switch_wal() - 1)",
    );
    // PostgreSQL asks again a minute after three attempts that failed.
    for (const deadline = Date.now() + 90_000; Date.now() < deadline;) {
      const archived = this.sql("postgres", "SELECT last_archived_wal FROM pg_stat_archiver");
      if (archived >= last) return;
      this.sql("postgres", "SELECT pg_sleep(0.1)");
    }
    throw new Error("the log is not archived");
  }

  /** The server's, ISO 8601. */
  clock(): string {
    return this.sql(
      "postgres",
      "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    );
  }
}

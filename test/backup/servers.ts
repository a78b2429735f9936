/** Real servers for backups: PostgreSQL, an S3 server, an SSH server. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import * as path from "node:path";
import { AwsClient } from "aws4fetch";
import { type AgeKey, newAgeKey } from "../../components/backup/age-key";
import { type Context, within } from "../../components/backup/agent/context";
import { rcloneConfig } from "../../components/backup/rclone";
import type { Event } from "../../components/backup/agent/progress";
import type { BackupSettings, BucketPlace, SftpPlace } from "../../components/backup/settings";
import { s3Program } from "../../local/s3/program";
import { missingPrograms } from "../acme/harness";
import { freePort } from "../../scripts/bench/free-port";
import { eventually, postgresBin } from "../unit/examples/harness";

export const bin = postgresBin() ?? "";

/** What is not installed of what these tests talk to. */
export function missing(): string[] {
  const programs = missingPrograms(["rclone", "age", "zstd", "sqlite3", "sshd", "setpriv"]);
  return [...programs, ...(bin ? [] : ["postgresql-15"])];
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

  async start({ postgres = true } = {}): Promise<this> {
    chmodSync(this.root, 0o755);
    process.env.PATH = `${bin}:${process.env.PATH ?? ""}:/usr/sbin`;
    if (postgres) this.startPostgres();
    [this.s3, this.sftp] = await Promise.all([this.startS3(), this.startSsh()]);
    return this;
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
    this.sql("postgres", "CREATE TABLE IF NOT EXISTS tick (); SELECT pg_switch_wal()");
    // PostgreSQL asks again a minute after three attempts that failed.
    for (const deadline = Date.now() + 90_000; Date.now() < deadline;) {
      const [name, last] = this.sql(
        "postgres",
        "SELECT pg_walfile_name(pg_current_wal_lsn() - 1), last_archived_wal FROM pg_stat_archiver",
      ).split("|");
      if ((last ?? "") >= (name ?? "")) return;
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

  private async startS3(): Promise<BucketPlace> {
    mkdirSync(path.join(this.root, "s3"));
    const port = await freePort();
    const args = ["--quiet", "--port", `127.0.0.1:${port}`, "posix", path.join(this.root, "s3")];
    const login = { ROOT_ACCESS_KEY: "root", ROOT_SECRET_KEY: "root-secret" };
    this.children.push(
      spawn(s3Program(), args, { env: { PATH: process.env.PATH, ...login }, stdio: "ignore" }),
    );
    const endpoint = `http://127.0.0.1:${port}`;
    const options = {
      accessKeyId: "root",
      secretAccessKey: "root-secret",
      service: "s3",
      region: "us-east-1",
      retries: 0,
    };
    const client = new AwsClient(options);
    await eventually(async () => {
      expect((await client.fetch(`${endpoint}/backups`, { method: "PUT" })).status).toBe(200);
    });
    return {
      kind: "s3",
      endpoint,
      region: "us-east-1",
      bucket: "backups",
      accessKey: "root",
      secretKey: "root-secret",
    };
  }

  private async startSsh(): Promise<SftpPlace> {
    const file = (name: string) => path.join(this.root, name);
    mkdirSync("/run/sshd", { recursive: true });
    for (const name of ["host", "login"]) {
      spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(name)]);
    }
    writeFileSync(file("authorized"), readFileSync(file("login.pub")));
    const port = await freePort();
    const options = {
      AuthorizedKeysFile: file("authorized"),
      HostKey: file("host"),
      ListenAddress: `127.0.0.1:${port}`,
      PidFile: "none",
      StrictModes: "no",
      UsePAM: "no",
      Subsystem: "sftp internal-sftp",
    };
    const args = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    this.children.push(
      spawn("/usr/sbin/sshd", ["-D", "-f", "/dev/null", ...args], { stdio: "ignore" }),
    );
    await eventually(
      () =>
        new Promise<void>((done, failed) => {
          const socket = connect(port, "127.0.0.1", () => done(socket.destroy() && undefined)).once(
            "error",
            failed,
          );
        }),
    );
    return {
      kind: "sftp",
      host: "127.0.0.1",
      port,
      user: userInfo().username,
      path: file("copies"),
      hostKey: readFileSync(file("host.pub"), "utf8").split(" ").slice(0, 2).join(" "),
      key: readFileSync(file("login"), "utf8"),
    };
  }
}

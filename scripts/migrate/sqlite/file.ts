/** A SQLite file, read by SQLite's own program: the file of an app that runs is shared with it as SQLite wants. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Readable } from "node:stream";
import { Fault } from "../../../local/fault";

/** Bytes that no UTF-8 text has, for `values`: between the values of a row, behind each row, and in place of NULL. */
export const FIELD_END = 0xff;
export const ROW_END = 0xfe;
export const NULL_MARK = 0xfd;

/** JSON output and the table-valued PRAGMAs that are used here. */
const NEEDED = [3, 37] as const;
/** From here on the program replaces control characters in what it prints, unless told otherwise. */
const ESCAPES_SINCE = [3, 50] as const;

const REMEDY = "install it (Debian, Ubuntu: apt-get install sqlite3; macOS has it)";

export class SqliteFile {
  private constructor(
    readonly file: string,
    private readonly flags: readonly string[],
  ) {}

  /**
   * A consistent copy of a database that may be in use, made by SQLite's online backup; the source is only read.
   *
   * @param use its copy, which is removed after that.
   * @throws {Fault} when there is no such file, it is no database, or this machine has no `sqlite3`.
   */
  static async copyOf<T>(source: string, use: (copy: SqliteFile) => Promise<T>): Promise<T> {
    if (!fs.existsSync(source)) throw new Fault(`There is no file ${source}.`);
    const flags = ["-readonly", "-batch", ...escapeFlags(programVersion())];
    const dir = fs.mkdtempSync(path.join(tmpdir(), "archipelago-sqlite-"));
    const remove = () => fs.rmSync(dir, { recursive: true, force: true });
    process.once("exit", remove);
    try {
      const copy = path.join(dir, "copy.db");
      const { status, stderr } = spawnSync(
        "sqlite3",
        ["-readonly", "-batch", path.resolve(source), ".timeout 10000", `.backup '${copy}'`],
        { encoding: "utf8" },
      );
      if (status !== 0) throw new Fault(`${source} cannot be read: ${reason(stderr)}`);
      return await use(new SqliteFile(copy, flags));
    } finally {
      process.removeListener("exit", remove);
      remove();
    }
  }

  /** Rows of a query as objects. Integers beyond 2^53 lose digits: ask for those as text. */
  async rows<T>(sql: string): Promise<T[]> {
    let text = "";
    await this.read(["-json", this.file, sql], (stdout) =>
      collect(stdout, (part) => (text += part)),
    );
    return text.trim() === "" ? [] : (JSON.parse(text) as T[]);
  }

  /** What a query prints, a row a line, columns separated by tabs; as bytes, as SQLite has them. */
  async lines(sql: string, use: (stdout: Readable) => Promise<void>): Promise<void> {
    await this.read(["-list", "-separator", "\t", this.file, sql], use);
  }

  /** The same where texts may hold whatever is UTF-8: what separates them is none. */
  async values(sql: string, use: (stdout: Readable) => Promise<void>): Promise<void> {
    const byte = (value: number) => `"\\${value.toString(8)}"`;
    const marks = [
      `.separator ${byte(FIELD_END)} ${byte(ROW_END)}`,
      `.nullvalue ${byte(NULL_MARK)}`,
    ];
    await this.read(["-list", this.file, ...marks, sql], use);
  }

  private async read(words: readonly string[], use: (stdout: Readable) => Promise<void>) {
    const child = spawn("sqlite3", [...this.flags, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    try {
      await use(child.stdout);
    } catch (error) {
      child.kill();
      throw error;
    }
    const code = await ended;
    if (code !== 0) throw new Fault(`The SQLite file cannot be read: ${reason(stderr)}`);
  }
}

async function collect(stream: Readable, take: (text: string) => void): Promise<void> {
  stream.setEncoding("utf8");
  for await (const part of stream) take(part as string);
}

function programVersion(): readonly number[] {
  const { stdout, error } = spawnSync("sqlite3", ["--version"], { encoding: "utf8" });
  if (error) throw new Fault(`There is no sqlite3 on PATH: ${REMEDY}.`);
  const version = (stdout.split(" ")[0] ?? "").split(".").map(Number);
  if (isBefore(version, NEEDED)) {
    throw new Fault(`sqlite3 must be ${NEEDED.join(".")} or newer, got ${version.join(".")}.`);
  }
  return version;
}

const escapeFlags = (version: readonly number[]) =>
  isBefore(version, ESCAPES_SINCE) ? [] : ["-escape", "off"];

const isBefore = ([major = 0, minor = 0]: readonly number[], [a, b]: readonly [number, number]) =>
  major < a || (major === a && minor < b);

const reason = (stderr: string) => stderr.trim().replace(/^Error: /, "") || "sqlite3 failed";

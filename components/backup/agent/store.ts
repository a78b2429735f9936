import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { type Duplex, type Readable, Writable } from "node:stream";
import { GIVEN_PLACE, type Place } from "../settings";
import { keyFiles, rcloneConfig, rootOf } from "../rclone";
import { type Command, flow, outputOf, ProgramFailed, textOf } from "./flow";
import { Measure } from "./measure";
import { writePrivate } from "./private";

/** rclone's exit status for a directory and for a file that is not there. https://rclone.org/docs/#exit-code */
const NOT_THERE = [3, 4];

export interface Entry {
  /** Below the place's root. */
  readonly path: string;
  readonly bytes: number;
}

export interface Stored {
  readonly bytes: number;
  readonly sha256: string;
}

/** A place that keeps backups, by way of rclone. Paths start at the place's root, which is the stack's own. */
export class Store {
  private constructor(
    readonly name: string,
    private readonly config: string,
    private readonly root: string,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Every place.
   *
   * @param stack whose backups are kept below a directory of its name.
   * @param directory in memory, and private: the logins are written there.
   */
  static openAll(
    { places, stack }: { readonly places: Readonly<Record<string, Place>>; readonly stack: string },
    directory: string,
    signal: AbortSignal,
  ): Store[] {
    const config = path.join(directory, "rclone.conf");
    const all = Object.entries(places).sort(([a], [b]) => a.localeCompare(b));
    for (const [name, place] of all) {
      for (const [file, text] of keyFiles(name, place)) {
        writePrivate(path.join(directory, file), text);
      }
    }
    const sections = all.map(([name, place]) => rcloneConfig(name, place, directory));
    writePrivate(config, sections.join("\n"));
    return all.map(([name, place]) => new Store(name, config, rootOf(name, place, stack), signal));
  }

  /**
   * Writes to a file what a program or stream gives, after `steps`. What was cut short is of no use: nothing of it is in a manifest.
   */
  async put(
    file: string,
    first: Command | Readable,
    steps: readonly (Command | Duplex)[] = [],
  ): Promise<Stored> {
    const measure = new Measure();
    await flow(first, [...steps, measure], this.rclone("rcat", this.at(file)), this.signal);
    return { bytes: measure.bytes, sha256: measure.sha256() };
  }

  /** Reads a whole file. */
  async measure(file: string): Promise<Stored> {
    const measure = new Measure();
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    await flow(this.rclone("cat", this.at(file)), [measure], nowhere, this.signal);
    return { bytes: measure.bytes, sha256: measure.sha256() };
  }

  async putText(file: string, text: string): Promise<void> {
    await textOf(this.rclone("rcat", this.at(file)), text, this.signal);
    if ((await this.text(file)) !== text) {
      throw new Error(`${this.name} place: ${file} is not what was written there`);
    }
  }

  get(file: string): Readable {
    return outputOf(this.rclone("cat", this.at(file)), this.signal);
  }

  text(file: string): Promise<string> {
    return textOf(this.rclone("cat", this.at(file)), "", this.signal);
  }

  /** Every file below a directory, by path; none when it is not there. */
  async list(directory = "", filter: readonly string[] = []): Promise<Entry[]> {
    const listing = this.rclone(
      "lsf",
      "-R",
      "--files-only",
      "--format",
      "sp",
      "--separator",
      "\t",
      ...filter.flatMap((pattern) => ["--include", pattern]),
      this.at(directory),
    );
    const text = await textOf(listing, "", this.signal).catch(nothingThere);
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => {
        const [bytes = "", ...rest] = line.split("\t");
        return { path: path.posix.join(directory, rest.join("\t")), bytes: Number(bytes) };
      })
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async remove(file: string): Promise<void> {
    await textOf(this.rclone("deletefile", this.at(file)), "", this.signal).catch(nothingThere);
  }

  /** @param files below a directory. */
  async removeFiles(directory: string, files: readonly string[]): Promise<void> {
    if (files.length === 0) return;
    const command = this.rclone("delete", "--files-from", "-", this.at(directory));
    await textOf(command, `${files.join("\n")}\n`, this.signal);
  }

  async removeAll(directory: string): Promise<void> {
    await textOf(this.rclone("purge", this.at(directory)), "", this.signal).catch(nothingThere);
  }

  /** The logins for another user of this machine, in a directory of theirs. @returns the files, the configuration first. */
  copyConfig(directory: string): string[] {
    const config = path.join(directory, "rclone.conf");
    const from = path.dirname(this.config);
    const text = readFileSync(this.config, "utf8").replaceAll(`${from}/`, `${directory}/`);
    writePrivate(config, text);
    const others = readdirSync(from).filter((name) => /\.(key|known)$/.test(name));
    return [
      config,
      ...others.map((name) => {
        writePrivate(path.join(directory, name), readFileSync(path.join(from, name), "utf8"));
        return path.join(directory, name);
      }),
    ];
  }

  /** rclone with the place's logins; `at` names a file for it. */
  rclone(...words: readonly [string, ...string[]]): Command {
    return {
      // rclone fails where another tool's variable is set.
      env: { AWS_CA_BUNDLE: undefined },
      command: [
        "rclone",
        "--config",
        this.config,
        "--low-level-retries",
        "5",
        "--retries",
        "2",
        "--contimeout",
        "20s",
        "--timeout",
        "5m",
        ...words,
      ],
    };
  }

  /** Copies what another place does not have of a directory, or has in another size. */
  copyTo(other: Store, directory: string): Command {
    return this.rclone("copy", "--size-only", this.at(directory), other.at(directory));
  }

  at(file: string): string {
    return path.posix.join(this.root, file);
  }
}

function nothingThere(error: unknown): string {
  if (error instanceof ProgramFailed && NOT_THERE.includes(error.status ?? 0)) return "";
  throw error;
}

/** What to do when a place does not have what it should. */
export const elsewhere = ({ name }: Store) => {
  if (name === GIVEN_PLACE) return "try the other place, or another backup";
  return `try --from ${name === "first" ? "second" : "first"}`;
};

/** A directory of files on a machine: what is in it, and the sums of it. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { collect, type Host } from "./host";

/** A file, a directory or a symbolic link. Paths are relative, `.` is the directory itself; each character is a byte. */
export interface Entry {
  readonly path: string;
  readonly type: "f" | "d" | "l";
  /** What a copy has, too. Of a directory the time does not count: it changes with what is put in. */
  readonly look: string;
  readonly bytes: number;
  /** Changes with every write, and no program can set it back: while it is the same, so are the contents. */
  readonly stamp: string;
  /** Last change, seconds since 1970. */
  readonly changedAt: number;
}

export type Tree = ReadonlyMap<string, Entry>;

/** Contents change, and the clock of the file system ticks slowly: a file that was changed so shortly ago may change again unseen. */
const SETTLED_SECONDS = 2;

const PATHS_AT_ONCE = 1000;

/** Fails where `find` and `tar` are of another make, which cannot do this. */
export const TOOLS =
  "find --version 2>/dev/null | grep -q GNU && tar --version 2>/dev/null | grep -q GNU && sha256sum --version 2>/dev/null | grep -q GNU";

export class Directory {
  private readonly sums = new Map<string, { readonly stamp: string; readonly sum: string }>();

  constructor(
    readonly host: Host,
    /** Absolute. */
    readonly path: string,
  ) {}

  /** Everything in it. Sockets, pipes and devices are no data. */
  async list(): Promise<{ readonly tree: Tree; readonly now: number }> {
    const text = await this.host.output(
      `cd "$1"; date +%s; find . -type f -printf 'f %m %U %G %s %T@ - %i.%C@ %P\\0' -o -type d -printf 'd %m %U %G 0 - - %C@ %P\\0' -o -type l -printf 'l 777 %U %G 0 - %l\\0 %C@ %P\\0'`,
      this.path,
    );
    const [now = "", rest] = splitOnce(text, "\n");
    const tree = new Map<string, Entry>();
    const words = rest.split("\0");
    for (let at = 0; at < words.length - 1; at += 1) {
      // A link's target may hold any character: it ends with a zero of its own.
      const isLink = words[at]?.startsWith("l ") ?? false;
      const line = isLink ? `${words[at]}\0${words[++at] ?? ""}` : (words[at] ?? "");
      const entry = parseEntry(line);
      tree.set(entry.path, entry);
    }
    return { tree, now: Number(now) };
  }

  /**
   * SHA-256 of files.
   *
   * @param live they may change or go meanwhile: those that go have no sum.
   * @returns by path.
   */
  async sumsOf(
    files: readonly Entry[],
    { now, live, onBytes }: { now: number; live: boolean; onBytes?: (bytes: number) => void },
  ): Promise<ReadonlyMap<string, string>> {
    const unknown = files.filter(
      ({ path, stamp, type }) => type === "f" && this.sums.get(path)?.stamp !== stamp,
    );
    const found = await this.sum(unknown, live, onBytes);
    for (const { path, stamp, changedAt } of unknown) {
      const sum = found.get(path);
      if (sum !== undefined && changedAt < now - SETTLED_SECONDS)
        this.sums.set(path, { stamp, sum });
    }
    return new Map(
      files.flatMap(({ path, stamp }) => {
        const known = this.sums.get(path);
        const sum = found.get(path) ?? (known?.stamp === stamp ? known.sum : undefined);
        return sum === undefined ? [] : [[path, sum]];
      }),
    );
  }

  private async sum(
    files: readonly Entry[],
    live: boolean,
    onBytes: (bytes: number) => void = () => undefined,
  ): Promise<ReadonlyMap<string, string>> {
    const sums = new Map<string, string>();
    if (files.length === 0) return sums;
    const bytes = new Map(files.map((file) => [file.path, file.bytes]));
    const running = this.host.start(
      `cd "$1"; xargs -0 -r sha256sum -z --${live ? " 2>/dev/null || [ $? = 123 ]" : ""}`,
      this.path,
    );
    const fed = feedPaths(running.stdin, files);
    let rest = "";
    let done = 0;
    for await (const chunk of running.stdout) {
      const lines = (rest + (chunk as Buffer).toString("latin1")).split("\0");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        // `<64 digits>  ./path`
        const path = line.slice(68);
        sums.set(path, line.slice(0, 64));
        done += bytes.get(path) ?? 0;
      }
      onBytes(done);
    }
    await fed;
    await running.ended;
    return sums;
  }

  /** Removes what lies at these paths. */
  async remove(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const running = this.host.start(`cd "$1"; xargs -0 -r rm -rf --`, this.path);
    await feedPaths(
      running.stdin,
      paths.map((path) => ({ path })),
    );
    await collect(running);
  }
}

/** Hands over paths as programs take them, each with a zero behind. One that ends early says so by its status. */
export async function feedPaths(
  stdin: NodeJS.WritableStream,
  entries: readonly Pick<Entry, "path">[],
): Promise<void> {
  function* chunks() {
    for (let at = 0; at < entries.length; at += PATHS_AT_ONCE) {
      const some = entries.slice(at, at + PATHS_AT_ONCE);
      const text = some.map(({ path }) => `./${path === "." ? "" : path}\0`).join("");
      yield Buffer.from(text, "latin1");
    }
  }
  await pipeline(Readable.from(chunks()), stdin).catch(() => undefined);
}

function parseEntry(line: string): Entry {
  const [type = "", afterType] = splitOnce(line, " ");
  const [mode = "", afterMode] = splitOnce(afterType, " ");
  const [user = "", afterUser] = splitOnce(afterMode, " ");
  const [group = "", afterGroup] = splitOnce(afterUser, " ");
  const [bytes = "", afterBytes] = splitOnce(afterGroup, " ");
  const [time = "", afterTime] = splitOnce(afterBytes, " ");
  const [link = "", afterLink] =
    type === "l" ? splitOnce(afterTime, "\0 ") : splitOnce(afterTime, " ");
  const [stamp = "", path = ""] = splitOnce(afterLink, " ");
  return {
    path: path === "" ? "." : path,
    type: type as Entry["type"],
    look: [type, mode, user, group, bytes, time, link].join(" "),
    bytes: Number(bytes),
    stamp: `${bytes} ${time} ${stamp}`,
    changedAt: Number(/\d+(?=\.\d*$)/.exec(stamp)?.[0]),
  };
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + by.length)];
}

/** Files from one machine's directory to another's, until both are the same. */
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "../../../local/fault";
import { CommandFailed, type Running } from "./host";
import { type Directory, type Entry, feedPaths, type Tree } from "./tree";

/** Hears how much has gone: bytes of all, in this pass. */
export type OnBytes = (doing: string, bytes: number, all: number) => void;

export interface Pass {
  /** What went over, of how much there is. */
  readonly sentFiles: number;
  readonly sentBytes: number;
  readonly files: number;
  readonly bytes: number;
}

export interface Comparison {
  /** Files with the same sum, and links and directories that look the same. */
  readonly same: number;
  readonly bytes: number;
  /** Paths that differ, though nobody changed them at the source. */
  readonly different: readonly string[];
  /** Files that were changed at the source since the last pass. */
  readonly changed: number;
}

export class FileMove {
  private last: Tree = new Map();

  /** @param to is made when it is missing; what it has besides is removed. */
  constructor(
    private readonly from: Directory,
    private readonly to: Directory,
    private readonly onBytes: OnBytes = () => undefined,
  ) {}

  /**
   * Makes the copy what the source is now. What an earlier pass brought stays, whoever ended that one.
   *
   * @param live files may change and go while they are read: another pass brings them.
   * @param again paths that are sent though they look the same.
   */
  async pass(live: boolean, again: ReadonlySet<string> = new Set()): Promise<Pass> {
    await this.to.host.output('mkdir -p "$1"', this.to.path);
    const [{ tree: source }, { tree: copy }] = await Promise.all([
      this.from.list(),
      this.to.list(),
    ]);
    this.last = source;
    await this.to.remove(
      topmost([...copy.values()].filter(({ path, type }) => source.get(path)?.type !== type)),
    );
    const wanted = [...source.values()].filter(
      ({ path, look }) => again.has(path) || copy.get(path)?.look !== look,
    );
    await this.send(wanted, live);
    const all = [...source.values()];
    return {
      sentFiles: filesIn(wanted),
      sentBytes: bytesIn(wanted),
      files: filesIn(all),
      bytes: bytesIn(all),
    };
  }

  private async send(entries: readonly Entry[], live: boolean): Promise<void> {
    if (entries.length === 0) return;
    const all = bytesIn(entries);
    // Status 1: a file changed while it was read, or was gone.
    const tolerant = live ? ' --ignore-failed-read --warning=no-file-changed || [ "$?" = 1 ]' : "";
    const packing = this.from.host.start(
      `cd "$1"; tar --create --format=posix --numeric-owner --no-recursion --null --verbatim-files-from --files-from=-${tolerant}`,
      this.from.path,
    );
    const unpacking = this.to.host.start(
      `cd "$1"; tar --extract --preserve-permissions --same-owner --numeric-owner --delay-directory-restore`,
      this.to.path,
    );
    let bytes = 0;
    const measured = new Transform({
      transform: (chunk: Buffer, _, done) => {
        bytes += chunk.length;
        this.onBytes("copying", Math.min(bytes, all), all);
        done(null, chunk);
      },
    });
    const fed = feedPaths(packing.stdin, entries);
    unpacking.stdout.resume();
    await together(packing, unpacking, measured);
    await fed;
  }

  /** Compares sums of everything, as the source is now. Nothing of what was compared before is read again. */
  async compare(live: boolean): Promise<Comparison> {
    const [source, copy] = await Promise.all([this.from.list(), this.to.list()]);
    const files = (tree: Tree) => [...tree.values()].filter(({ type }) => type === "f");
    const all = bytesIn(files(source.tree));
    const onBytes = (bytes: number) => this.onBytes("comparing", bytes, all);
    const [ours, theirs] = await Promise.all([
      this.from.sumsOf(files(source.tree), { now: source.now, live, onBytes }),
      this.to.sumsOf(files(copy.tree), { now: copy.now, live: false }),
    ]);
    const different: string[] = [...copy.tree.keys()].filter((path) => !source.tree.has(path));
    const counts = { same: 0, bytes: 0, changed: 0 };
    for (const entry of source.tree.values()) {
      const { path, type, look, bytes } = entry;
      const isGone = type === "f" && ours.get(path) === undefined;
      if (live && (isGone || this.last.get(path)?.stamp !== entry.stamp))
        counts.changed += type === "d" ? 0 : 1;
      else if (copy.tree.get(path)?.look === look && ours.get(path) === theirs.get(path)) {
        counts.same += type === "d" ? 0 : 1;
        counts.bytes += bytes;
      } else different.push(path);
    }
    return {
      ...counts,
      different: live ? different.filter((path) => source.tree.has(path)) : different,
    };
  }

  /**
   * For a source that nobody writes to any more: one more pass, and the proof that nothing is missing.
   *
   * @throws {Fault} naming files that are not the same after two attempts.
   */
  async finish(): Promise<Pass & Comparison> {
    const first = await this.pass(false);
    const found = await this.compare(false);
    if (found.different.length === 0) return { ...first, ...found };
    const second = await this.pass(false, new Set(found.different));
    const last = await this.compare(false);
    if (last.different.length === 0) {
      return { ...second, sentFiles: first.sentFiles + second.sentFiles, ...last };
    }
    const some = last.different.slice(0, 5).map(shown).join(", ");
    throw new Fault(
      `${last.different.length} files of ${this.from.path} are not the same on ${this.to.host.name}: ${some}. Does something still write to them?`,
    );
  }
}

/** Both ends of a pipe: told is why it broke, and not that the other end noticed. */
async function together(packing: Running, unpacking: Running, measured: Transform): Promise<void> {
  // `tar` reads no padding behind an archive's end: whether all went well is said by both statuses alone.
  void pipeline(packing.stdout, measured, unpacking.stdin).catch(() => undefined);
  const [sent, received] = await Promise.allSettled([packing.ended, unpacking.ended]);
  const [read, written] = ["The files cannot be read", "The files cannot be written"];
  const noticed = received.status === "rejected" && /Unexpected EOF/.test(String(received.reason));
  if (noticed || received.status === "fulfilled") mustHaveEnded(sent, read);
  mustHaveEnded(received, written);
}

function mustHaveEnded(result: PromiseSettledResult<void>, what: string): void {
  if (result.status === "fulfilled") return;
  const reason: unknown = result.reason;
  throw reason instanceof CommandFailed ? new Fault(`${what}: ${reason.message}`) : reason;
}

/** Of paths, those that lie in no other one of them. */
function topmost(entries: readonly Entry[]): string[] {
  const paths = new Set(entries.map(({ path }) => path));
  const isBelow = (path: string) => {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if (paths.has(path.slice(0, at))) return true;
    }
    return false;
  };
  return [...paths].filter((path) => path !== "." && !isBelow(path));
}

const filesIn = (entries: readonly Entry[]) => entries.filter(({ type }) => type !== "d").length;
const bytesIn = (entries: readonly Entry[]) => entries.reduce((sum, { bytes }) => sum + bytes, 0);

/** A path for people: its bytes are UTF-8, as a rule. */
const shown = (path: string) => Buffer.from(path, "latin1").toString("utf8");

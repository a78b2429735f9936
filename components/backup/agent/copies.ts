/** Which copy of a server's files a recovery begins with. */
import type { Base, Bases } from "./base";
import { elsewhere, type Store } from "./store";

/** A server whose log is archived. After a loss there is more than one: the one that is lost, and those that came after it. */
export interface ArchivedServer {
  /** Tells the files that it began with from any other server's. */
  readonly system: string;
  /** PostgreSQL's major version. */
  readonly version: string;
  /** From when on its log leads to any moment, ISO 8601. */
  readonly from: string;
  /** When its files were copied last, ISO 8601. */
  readonly copiedAt: string;
  /** What they took then. */
  readonly bytes: number;
}

/** @param all oldest first. @returns in the order in which they began. */
export function serversOf(all: readonly Base[]): ArchivedServer[] {
  const servers = new Map<string, ArchivedServer>();
  for (const { system, version, finishedAt, originalBytes: bytes } of all) {
    const from = servers.get(system)?.from ?? finishedAt;
    servers.set(system, { system, version, from, copiedAt: finishedAt, bytes });
  }
  return [...servers.values()];
}

/**
 * @param bases that the place has.
 * @param moment ISO 8601; or `end`, the end of what a server archived.
 * @param system whose. @default the one that there was at the moment; for `end`, the only one there is
 * @throws {Error} when the archive begins after the moment; or, for `end`, when several servers have one: the newest may be an empty
 *   one that was made after a loss. So may the only one that is left, when every copy of another one is damaged.
 */
export function copyFor(
  store: Store,
  { whole: all, damaged }: Bases,
  moment: string,
  system: string | undefined,
): Base {
  const own = system === undefined ? all : all.filter((one) => one.system === system);
  const isSpoilt = (lost: { readonly system: string }) =>
    lost.system === (system ?? lost.system) && !own.some((one) => one.system === lost.system);
  const spoilt = moment === "end" ? damaged.find(isSpoilt) : undefined;
  if (spoilt !== undefined) {
    const others =
      own.length > 0 ? `, or another server by --server <number>\n${linesOf(own)}` : "";
    throw new Error(
      `every copy of the files of server ${spoilt.system} in the ${store.name} place is damaged: ${elsewhere(store)}${others}`,
    );
  }
  const [first] = own;
  if (first === undefined) {
    throw new Error(`the ${store.name} place has ${nothingOf(all, system)}\n${elsewhere(store)}`);
  }
  if (moment === "end") {
    const last = own.at(-1);
    if (last?.system === first.system) return last;
    throw new Error(
      `the ${store.name} place has what several servers archived: the newest may be an empty one that was made after a loss\n${linesOf(own)}\n--server <number> says which one's end is wanted`,
    );
  }
  const made = own.filter(({ finishedAt }) => Date.parse(finishedAt) <= Date.parse(moment)).at(-1);
  if (made !== undefined) return made;
  throw new Error(
    `the archive of the ${store.name} place begins at ${first.finishedAt}: a backup from before may do`,
  );
}

function nothingOf(all: readonly Base[], system: string | undefined): string {
  if (system === undefined || all.length === 0) return "no copy of a server's files";
  return `no server ${system}, but:\n${linesOf(all)}`;
}

const linesOf = (all: readonly Base[]) =>
  serversOf(all)
    .map(
      ({ system, version, from, copiedAt, bytes }) =>
        `  ${system}: PostgreSQL ${version}, any moment since ${from}, ${Math.ceil(bytes / 2 ** 20)} MiB at ${copiedAt}`,
    )
    .join("\n");

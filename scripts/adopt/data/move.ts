/** An app's data from its old server into a stack: first while the app runs, then once more while nothing writes. */
import { Fault } from "../../../local/fault";
import { step } from "../../../local/progress";
import type { SwarmEngine } from "../../../providers/swarm/swarm/engine";
import { size } from "../../backup/agent";
import { type Comparison, FileMove, type Pass } from "./files";
import { whileStopped } from "./pause";
import type { PostgresMove, PostgresMoved } from "./postgres";
import type { SqliteMove, TablesMoved } from "./sqlite";
import { Directory, type Tree } from "./tree";
import type { ServiceVolume } from "./volume";

/** Between two messages. */
const TELL_MS = 1000;

/** What moves: each is independent of the others. */
export interface Moves {
  readonly volumes: readonly VolumeMove[];
  readonly databases?: readonly PostgresMove[];
  readonly sqlite?: SqliteMove | undefined;
}

export interface VolumeMoved extends Pick<Pass, "files" | "bytes"> {
  readonly service: string;
  readonly from: string;
  /** First pass. */
  readonly seconds: number;
  readonly bytesPerSecond: number;
  /** Files that were changed meanwhile: the final run brings them. */
  readonly changed: number;
  /** Where the service's files of before are. */
  readonly kept?: string | undefined;
}

export interface DatabaseMoved extends PostgresMoved {
  readonly database: string;
  /** What the database of before is called. */
  readonly kept?: string | undefined;
}

export interface Moved {
  readonly volumes: readonly VolumeMoved[];
  readonly databases: readonly DatabaseMoved[];
  readonly sqlite?: TablesMoved | undefined;
  /** How long nothing may write, or could: of a rehearsal what it would be. */
  readonly stopSeconds: number;
}

export class VolumeMove {
  private readonly files: FileMove;
  private note: (text: string) => void = () => undefined;

  constructor(
    readonly from: Directory,
    readonly to: ServiceVolume,
  ) {
    let started = { doing: "", at: 0, told: 0 };
    this.files = new FileMove(from, to.copy, (doing, bytes, all) => {
      const now = Date.now();
      if (doing !== started.doing) started = { doing, at: now, told: 0 };
      if (now - started.told < TELL_MS) return;
      started.told = now;
      this.note(`${doing}, ${progress(bytes, all, (now - started.at) / 1000)}`);
    });
  }

  list(): Promise<{ readonly tree: Tree }> {
    return this.from.list();
  }

  /** While files may change. What is the same already need not be read again in the end. */
  first(): Promise<Pass & Comparison & { readonly seconds: number }> {
    return this.show(`Files of ${this.to.service}`, async () => {
      const started = Date.now();
      const pass = await this.files.pass(true);
      const seconds = (Date.now() - started) / 1000;
      return { ...pass, ...(await this.files.compare(true)), seconds };
    });
  }

  /** When nobody writes any more. @throws {Fault} when something is not the same. */
  last(): Promise<Pass & Comparison> {
    return this.show(`Files of ${this.to.service}, what has changed since`, () =>
      this.files.finish(),
    );
  }

  private show<T>(title: string, work: () => Promise<T>): Promise<T> {
    return step(title, (one) => {
      this.note = (text) => one.note(text);
      return work();
    });
  }
}

/** Copies everything and compares it, and takes it back: source and stack stay what they were. */
export async function rehearse({ volumes, databases = [], sqlite }: Moves): Promise<Moved> {
  try {
    const moved: VolumeMoved[] = [];
    for (const volume of volumes) {
      const first = await volume.first();
      mustBeSame(volume, first);
      moved.push(toMoved(volume, first));
    }
    const started = Date.now();
    // What is the same takes no longer than to look at it.
    for (const volume of volumes) await volume.list();
    const copied = await copyAll(databases);
    const tables = await sqlite?.move(true);
    const stopSeconds = (Date.now() - started) / 1000;
    return { volumes: moved, databases: copied, sqlite: tables, stopSeconds };
  } finally {
    for (const database of databases) await database.discard();
    for (const { to } of volumes) await to.discard();
  }
}

/**
 * The same for good.
 *
 * @param stop has everything stop that writes at the source; @param start lets it go on, when this fails.
 * @param replicas of the stack's services whose files are moved.
 * @param label for the names of what was there before.
 */
export async function moveForGood(
  { volumes, databases = [], sqlite }: Moves,
  {
    stop,
    start,
    engine,
    replicas,
    label,
  }: {
    readonly stop: () => Promise<void>;
    readonly start: () => Promise<void>;
    readonly engine: SwarmEngine;
    readonly replicas: Readonly<Record<string, number>>;
    readonly label: string;
  },
): Promise<Moved> {
  const moved: VolumeMoved[] = [];
  for (const volume of volumes) moved.push(toMoved(volume, await volume.first()));
  const started = Date.now();
  await stop();
  try {
    for (const volume of volumes) await volume.last();
    const copied = await copyAll(databases);
    const tables = await sqlite?.move(false);
    const placed = await step("Handing over", () =>
      whileStopped(engine, replicas, async () => {
        const files: (string | undefined)[] = [];
        for (const { to } of volumes) files.push(await to.takePlace(label));
        const names: string[] = [];
        for (const database of databases) names.push(await database.takePlace(label));
        return { files, names };
      }),
    );
    return {
      volumes: moved.map((one, at) => ({ ...one, kept: placed.files[at] })),
      databases: copied.map((one, at) => ({ ...one, kept: placed.names[at] })),
      sqlite: tables,
      stopSeconds: (Date.now() - started) / 1000,
    };
  } catch (error) {
    await start();
    throw error;
  }
}

async function copyAll(databases: readonly PostgresMove[]): Promise<DatabaseMoved[]> {
  const copied: DatabaseMoved[] = [];
  for (const each of databases) {
    copied.push({ database: each.database, ...(await copyDatabase(each)) });
  }
  return copied;
}

function copyDatabase(postgres: PostgresMove): Promise<PostgresMoved> {
  return step(`Database ${postgres.database}`, async (work) => {
    const { bytes: all } = await postgres.look();
    const started = Date.now();
    let told = started;
    return postgres.copy((bytes) => {
      const now = Date.now();
      if (now - told < TELL_MS) return;
      told = now;
      // A dump has no indexes: it is smaller than the database, by how much nobody knows.
      work.note(progress(bytes, all, (now - started) / 1000));
    });
  });
}

function mustBeSame({ from, to }: VolumeMove, { different }: Comparison): void {
  if (different.length === 0) return;
  throw new Fault(
    `${different.length} files of ${from.path} did not arrive as they are at ${to.service}: ${different.slice(0, 5).join(", ")}.`,
  );
}

function toMoved(
  { from, to }: VolumeMove,
  { files, bytes, sentBytes, seconds, changed }: Pass & Comparison & { readonly seconds: number },
): VolumeMoved {
  const bytesPerSecond = Math.round(sentBytes / Math.max(seconds, 0.001));
  return { service: to.service, from: from.path, files, bytes, seconds, bytesPerSecond, changed };
}

/** `12.0 MiB of about 40.0 MiB, 9.1 MiB/s, 4 s left` */
function progress(bytes: number, all: number, seconds: number): string {
  const rate = bytes / Math.max(seconds, 0.001);
  const left = rate > 0 ? Math.ceil(Math.max(0, all - bytes) / rate) : 0;
  return `${size(bytes)} of about ${size(all)}, ${size(rate)}/s, ${left} s left`;
}

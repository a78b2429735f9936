/** What `npm run restore` says while an agent restores, and in the end. */
import { VOLUME_MOUNT } from "../../infra/names";
import { type AgentEvent, Follower } from "../backup/agent";

/** What the agent says of a restore that is done. */
interface Done {
  /** `backup 20261121T021700Z`. */
  readonly what?: string;
  readonly dryRun?: boolean;
  readonly databases?: readonly string[];
  readonly tables?: number;
  readonly rows?: number;
  /** Names under which databases of before are kept. */
  readonly kept?: readonly string[];
  readonly services?: readonly string[];
  readonly files?: number;
  /** Directories beside the services' with what was there before. */
  readonly keptDirectories?: readonly string[];
  /** Whether uploaded files would be restored. */
  readonly bucket?: boolean;
  readonly objects?: number;
  /** Of the objects: those that were gone or others. */
  readonly written?: number;
  /** Where in the bucket the others are kept. */
  readonly keptObjects?: string;
}

/** A restore reads, decrypts, decompresses and writes about as much of a database in a second, on two shared cores. */
const RESTORE_BYTES_PER_SECOND = 15 * 2 ** 20;

/** As long as a restore may take. @param bytes of what comes back, where it came from. */
export const secondsFor = (bytes: number) => Math.ceil(bytes / RESTORE_BYTES_PER_SECOND) + 2;

/** Lets an agent look, and shows nothing but what is not well. @returns its exit status, and what it has found. */
export async function look(
  json: boolean,
  ask: (onEvent: (event: AgentEvent) => void) => Promise<number>,
): Promise<{ readonly code: number; readonly found: AgentEvent | undefined }> {
  let found: AgentEvent | undefined;
  const follower = new Follower();
  const code = await ask((event) => {
    if (event.event === "done") found = event;
    if (event.event !== "failed") return;
    if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
    else follower.show(event);
  });
  return { code, found };
}

/** Shows what an agent tells. @returns its exit status. */
export async function follow(
  json: boolean,
  ask: (onEvent: (event: AgentEvent) => void) => Promise<number>,
): Promise<number> {
  const began = Date.now();
  const follower = new Follower();
  return ask((event) => {
    if (json) {
      process.stdout.write(`${JSON.stringify(event)}\n`);
      return;
    }
    follower.show(event);
    if (event.event !== "done") return;
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    process.stdout.write(summaryOf(event, seconds));
  });
}

/** @param done what an agent says of a restore. @param seconds that it took. @returns lines for an operator. */
export function summaryOf(done: Done, seconds: string): string {
  return linesOf(done, seconds)
    .map((line) => `${line}\n`)
    .join("");
}

function linesOf(done: Done, seconds: string): string[] {
  const { databases = [], services = [], objects, bucket, what = "" } = done;
  const isBucket = objects !== undefined || bucket === true;
  const restored = [
    ...databases,
    ...services.map((name) => `the files of ${name}`),
    ...(isBucket ? ["uploaded files"] : []),
  ].join(", ");
  if (done.dryRun) {
    return [`Would restore ${restored}: the key fits, the files are there, and there is room.`];
  }
  const { kept = [], keptObjects, keptDirectories = [] } = done;
  const before = [
    ...kept,
    ...(keptObjects === undefined ? [] : [`${keptObjects}/ in the bucket`]),
    ...keptDirectories.map((name) => `${VOLUME_MOUNT}/services/${name}`),
  ].join(", ");
  return [
    `Restored ${restored}: ${countsOf(done)}, the same as in ${what}. ${seconds} s.`,
    ...(before === "" ? [] : [`What was there before is kept: ${before}.`]),
  ];
}

const countsOf = ({ databases = [], rows = 0, tables = 0, services = [], ...rest }: Done) =>
  [
    ...(databases.length > 0 ? [`${rows} rows in ${tables} tables`] : []),
    ...(services.length > 0 ? [`${rest.files ?? 0} files`] : []),
    ...(rest.objects === undefined
      ? []
      : [`${rest.objects} uploaded files, of which ${rest.written ?? 0} were gone or others`]),
  ].join(" and ");

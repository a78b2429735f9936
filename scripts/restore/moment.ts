/** `npm run restore -- <stack> --to <time>|end`: databases as the archived log leads to them. */
import { z } from "zod";
import type { PlaceName } from "../../components/backup/settings";
import { Fault } from "../../local/fault";
import { askAgent, size } from "../backup/agent";
import { DEFAULT_IDENTITY } from "../backup/keygen";
import { ageOf } from "../backup/list";
import { agree } from "../operator/agree";
import type { Target } from "../operator/target";
import { readIdentity } from "./identity";
import type { RestoreOptions } from "./options";
import { follow, look, secondsFor, summaryOf } from "./report";

/** What the agent says of the copy of the server's files that it would take. An agent of an earlier version says less. */
const found = z.object({
  server: z.string().optional(),
  /** ISO 8601. */
  copiedAt: z.string().optional(),
  /** Before it was compressed. */
  bytes: z.number().optional(),
});

/**
 * Lets the agent look first: what is missing, too large or ambiguous is said before anybody is asked, and so is what it will take.
 *
 * @param moment ISO 8601, or `end`.
 * @returns 0 when everything is restored and verified.
 */
export async function restoreMoment(
  target: Target,
  moment: string,
  place: PlaceName,
  options: RestoreOptions,
): Promise<number> {
  const { dryRun = false, yes = false, json = false } = options;
  const request = requestFor(moment, place, options);
  const ask = (asked: typeof request) => (onEvent: Parameters<typeof askAgent>[2]) =>
    askAgent(target, "restore", onEvent, asked);
  const seen = await look(json, ask({ ...request, dryRun: true }));
  if (seen.found === undefined) return seen.code || 1;
  process.stderr.write(`${planOf(target.stack, request, found.parse(seen.found))}\n`);
  if (dryRun) {
    process.stdout.write(json ? `${JSON.stringify(seen.found)}\n` : summaryOf(seen.found, ""));
    return 0;
  }
  if (!yes && !(await agree(target.stack))) return 1;
  return follow(json, ask(request));
}

function requestFor(moment: string, from: PlaceName, options: RestoreOptions) {
  const { database, service, files, into, server: system } = options;
  if (service !== undefined || files) {
    throw new Fault("--service and --files are for a backup: a moment is of a database alone");
  }
  if (into !== undefined && database === undefined) {
    throw new Fault("--into is for one database: add --database");
  }
  const identity = readIdentity(options.identity ?? DEFAULT_IDENTITY);
  return { identity, from, moment, system, database, into, dryRun: false };
}

/** What will be done, of how much, and how long that may take. */
function planOf(
  stack: string,
  { moment, from, database, into }: ReturnType<typeof requestFor>,
  { server, copiedAt, bytes }: z.infer<typeof found>,
): string {
  const what = moment === "end" ? "to the end of what was archived" : `to ${moment}`;
  const details = [
    ...(server === undefined ? [] : [`server ${server}`]),
    ...(bytes === undefined ? [] : [size(bytes)]),
    ...(copiedAt === undefined ? [] : [`${ageOf(copiedAt)} old`]),
  ].join(", ");
  const then =
    into === undefined
      ? "its databases take the others' places, which are kept as <name>_before_<now>"
      : `${database ?? ""} becomes the new database ${into}, and ${database ?? ""} stays as it is`;
  const time =
    bytes === undefined ? "" : ` About ${secondsFor(bytes)} s, and what replaying the log takes.`;
  const pause =
    into === undefined ? " Sessions of the app end once, for a moment, when that is done." : "";
  return [
    `Recovery of ${stack} ${what}, from the ${from} place:`,
    `  a copy of the server's files${details && ` (${details})`}, and the log since then; then ${then}`,
    `It is made beside the running server, and verified: rows and sums of every table.${time}${pause}`,
  ].join("\n");
}

/** What `npm run migrate -- postgres` did, and how it is told. */
import pc from "picocolors";
import type { Finding } from "./preflight";
import type { Ends } from "./route";
import type { Switched } from "./switch";

export type Outcome = "refused" | "planned" | "copied" | "moved" | "was there" | "ended";

/** What `--json` prints. */
export interface PostgresReport extends Partial<Switched> {
  readonly outcome: Outcome;
  readonly databases: readonly string[];
  readonly bytes: number;
  /** Changes that were made while the copy was made, and after. */
  readonly changes: number;
  readonly seconds: number;
  readonly faults: readonly Finding[];
  readonly notes: readonly Finding[];
}

export const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** A finding, for a terminal. */
export const line = ({ at, says }: Finding) => `  ${pc.bold(at)} ${says}\n`;

export function print(report: PostgresReport, { from, to }: Ends): void {
  const out = (text: string) => process.stdout.write(`${text}\n`);
  const { outcome, faults, databases, bytes, changes, seconds, pauseMs, cut = 0 } = report;
  const what = `${databases.join(", ")} (${mib(bytes)})`;
  const command = `npm run migrate -- postgres --from ${from} --to ${to}`;
  switch (outcome) {
    case "refused":
      out(`Nothing was changed. In the way:\n${faults.map(line).join("").trimEnd()}`);
      return;
    case "planned":
      out(
        `${what} would be copied from ${from} to ${to}, then the app would be led there. Nothing was changed.`,
      );
      return;
    case "was there":
      out(`The app is on ${to} already.`);
      return;
    case "ended":
      out(`Nothing is kept for a way there or back any longer; no row was touched.`);
      return;
    case "copied":
      out(
        `${pc.green("Copied")} ${what} from ${from} to ${to} in ${seconds.toFixed(1)} s, with ${changes} changes made meanwhile.`,
      );
      out(
        `The source keeps what comes after for ${to}, on its disk. To be up to date all the time: ${command} --follow`,
      );
      out(`When the app outside is stopped: ${command} --switch`);
      return;
    case "moved":
      out(
        `${pc.green("Moved")} ${what} from ${from} to ${to} in ${seconds.toFixed(1)} s, with ${changes} changes made meanwhile.`,
      );
      out(
        `Writes waited for ${((pauseMs ?? 0) / 1000).toFixed(1)} s; ${cut} sessions were ended in the middle of a transaction.`,
      );
      out(
        `Every change from now on is kept for the way back, on the disk of ${to}: npm run migrate -- postgres --from ${to} --to ${from}`,
      );
      out(`To give that up once you are sure: ${command} --end`);
  }
}

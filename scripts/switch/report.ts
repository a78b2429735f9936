/** What an operator reads about a switch. */
import pc from "picocolors";
import type { Moved } from "../adopt/data/move";
import { describeMoved } from "../adopt/data/report";
import { domainOf, type Party } from "./look";

/** What `--json` prints. */
export interface SwitchReport {
  readonly outcome: "refused" | "planned" | "rehearsed" | "switched";
  /** IPv4 address that visitors have. */
  readonly address: string | undefined;
  readonly databases: readonly string[];
  readonly withFiles: readonly string[];
  readonly faults: readonly string[];
  readonly moved?: Moved;
  readonly seconds: number;
}

/** What will happen, before anything does. */
export function planOf({ stack, front, databases, withFiles, outputs }: Party, to: Party): string {
  const what = [
    ...databases.map((name) => `database ${name}`),
    ...withFiles.map((name) => `files of ${name}`),
    ...(outputs.backup ? ["(backups stay where they are; the target makes its own)"] : []),
  ];
  return [
    `${stack} → ${to.stack}: ${what.join(", ") || "no data"}`,
    "  first files are copied while the app runs",
    `  ${pc.yellow("not live:")} then the app of ${stack} stops, and visitors get 503 until the rest is copied and compared; --rehearse says how long`,
    `  the address ${front?.ip ?? ""} leads to ${to.stack}, whose own, ${to.front?.ip ?? ""}, leads to ${stack}: no name changes, and no resolver has to forget anything`,
    `  ${stack} keeps its data, with its app stopped`,
    "",
  ].join("\n");
}

export function describe(
  { outcome, faults, moved, address, seconds }: SwitchReport,
  from: Party,
  to: Party,
): string {
  switch (outcome) {
    case "refused":
      return `Nothing was changed. In the way:\n${faults.map((fault) => `  ${fault}`).join("\n")}\n`;
    case "planned":
      return "Nothing was changed (--dry-run).\n";
    case "rehearsed":
    case "switched": {
      const stop = moved === undefined ? "" : `${Math.ceil(moved.stopSeconds)} s`;
      return [
        `${pc.green(outcome === "switched" ? "Switched" : "Rehearsed")} from ${from.stack} to ${to.stack} in ${seconds.toFixed(1)} s${stop === "" ? "" : `, of which nobody could write for ${outcome === "switched" ? "" : "about "}${stop}`}:`,
        ...(moved === undefined ? [] : describeMoved(moved)),
        ...(outcome === "rehearsed"
          ? ["All of it was taken back; both stacks are as they were."]
          : [
              `${address ?? ""} leads to ${to.stack}, and its app answers there.`,
              ...(domainOf(from.outputs) === undefined
                ? []
                : [
                    `The zone of ${domainOf(from.outputs) ?? ""} stays in the account and belongs to no stack now. Take archipelago:domain out of ${from.stack}'s file.`,
                  ]),
              `Back, with what is written from now on: npm run switch -- ${to.stack} ${from.stack}`,
            ]),
        "",
      ].join("\n");
    }
  }
}

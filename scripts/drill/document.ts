/** Keeps the table in docs/drills.md: one line for each scenario, the last time it was measured. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as prettier from "prettier";
import { checkout } from "../../local/paths";
import { machine } from "../bench/report";
import type { Row } from "./drill";

const PAGE = path.join(checkout, "docs/drills.md");
const [BEGIN, END] = ["<!-- measured: begin -->", "<!-- measured: end -->"];
const HEAD = [
  "scenario",
  "action",
  "duration",
  "requests",
  "failed (allowed)",
  "p50 / p99",
  "recovered after",
  "CPU left",
  "goal",
  "day",
];

/**
 * @param order every scenario's name, as the table shall list them; lines of others go.
 * @throws {Error} when the page has lost its marks.
 */
export async function document(rows: readonly Row[], order: readonly string[]): Promise<void> {
  const page = fs.readFileSync(PAGE, "utf8");
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no ${BEGIN} … ${END}`);
  const lines = new Map(
    page
      .slice(begin, end)
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) => [line.split("|")[1]?.trim() ?? "", line]),
  );
  for (const row of rows) lines.set(row.scenario, lineOf(row));
  const { cores, cpu, memoryGib } = machine();
  const table = [
    `Measured on ${cores} cores (${cpu}), ${memoryGib} GiB, where load, fleet and local DigitalOcean share the cores.`,
    "",
    cells(HEAD),
    cells(HEAD.map(() => "---")),
    ...order.flatMap((name) => lines.get(name) ?? []),
  ].join("\n");
  const text = `${page.slice(0, begin)}${BEGIN}\n\n${table}\n\n${page.slice(end)}`;
  const options = await prettier.resolveConfig(PAGE);
  fs.writeFileSync(PAGE, await prettier.format(text, { ...options, parser: "markdown" }));
}

const lineOf = (row: Row) =>
  cells([
    row.scenario,
    row.action,
    `${row.seconds} s`,
    String(row.requests),
    `${row.failed} (${row.allowed})`,
    `${row.p50Ms} / ${row.p99Ms} ms`,
    `${row.recoverSeconds} s`,
    `${Math.round(row.cpuLeft * 100)} %`,
    [row.met ? "met" : `**missed**: ${why(row)}`, ...rowsOf(row)].join(": "),
    new Date().toISOString().slice(0, 10),
  ]);

/** The first of what is worth a word, in short. */
const why = ({ notes: [first = ""] }: Row) => first.split("\n")[0]?.slice(0, 120) ?? "";

/** What became of rows, where some were written. */
function rowsOf({ rowsWritten, rowsLost, pauseMs, secondsPerGib }: Row): string[] {
  if (rowsWritten === undefined) return [];
  const speed = secondsPerGib === undefined ? "" : `, ${secondsPerGib} s for a GiB`;
  return [`${rowsLost} of ${rowsWritten} rows lost, longest pause ${pauseMs} ms${speed}`];
}

const cells = (values: readonly string[]) =>
  `| ${values.map((value) => value.replaceAll("|", "\\|")).join(" | ")} |`;

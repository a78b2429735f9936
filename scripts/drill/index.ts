/** `npm run drill`: proves under load what the design promises. */
import * as path from "node:path";
import pc from "picocolors";
import { withLock } from "../../local/engine/lock";
import { Fault } from "../../local/fault";
import { localDir } from "../../local/paths";
import { machine } from "../bench/report";
import { type Row, runDrill, type Scenario } from "./drill";
import { document } from "./document";
import { BASE, Ground } from "./ground";
import { largeBodies } from "./scenarios/bodies";
import { capacity } from "./scenarios/capacity";
import { renewCertificate } from "./scenarios/certificate";
import { crashes } from "./scenarios/crashes";
import { grow } from "./scenarios/grow";
import { growManaged } from "./scenarios/grow-managed";
import { disasterRecovery } from "./scenarios/disaster-recovery";
import { loseFleet } from "./scenarios/lose-fleet";
import { killUp } from "./scenarios/interrupted";
import { migratePostgres, migrateSqlite } from "./scenarios/migrate";
import { planned } from "./scenarios/planned";
import { killQueueWorker } from "./scenarios/queue";
import { restore } from "./scenarios/restore";
import { security } from "./scenarios/security";
import { switchStacks } from "./scenarios/switch";
import { newTable } from "../operator/table";

export const SCENARIOS: readonly Scenario[] = [
  ...planned,
  renewCertificate,
  ...crashes,
  killQueueWorker,
  killUp,
  grow,
  migratePostgres,
  migrateSqlite,
  growManaged,
  switchStacks,
  restore,
  disasterRecovery,
  loseFleet,
  largeBodies,
  capacity,
  security,
];

const nameOf = ({ name }: Scenario) => name;

export interface DrillOptions {
  readonly json?: boolean;
  readonly keep?: boolean;
  /** Rows go into docs/drills.md. @default with `all` only */
  readonly write?: boolean;
}

/**
 * @param names scenarios in the order to run them; `all` = every one.
 * @returns 0 when every goal was met, else 1.
 */
export async function drill(names: readonly string[], options: DrillOptions): Promise<number> {
  const scenarios = choose(names);
  const writes = names.includes("all") || (options.write ?? false);
  // Two at a time would clear each other's cloud away.
  return withLock(
    path.join(localDir(), "drill"),
    () => say("Another drill is at work in this checkout: waiting for its end …"),
    () => run(scenarios, options, writes),
  );
}

const say = (line: string) => process.stderr.write(`${line}\n`);

async function run(scenarios: readonly Scenario[], options: DrillOptions, writes: boolean) {
  say("Bringing up a fleet for the drills …");
  const ground = await Ground.open();
  const rows: Row[] = [];
  try {
    if (scenarios[0]?.base === undefined) await ground.mustUp(BASE);
    for (const [index, scenario] of scenarios.entries()) {
      const { base } = scenario;
      if (base) await ground.anew(base);
      say(`${scenario.name}: ${scenario.action} …`);
      const row = await runDrill(ground, scenario);
      rows.push(row);
      say(
        `  ${row.met ? pc.green("met") : pc.red("missed")}: ${row.failed} of ${row.requests} requests failed, ${row.seconds} s`,
      );
      for (const note of row.notes) say(`  ${note.trim()}`);
      // At once: what was measured outlives whatever ends this run.
      if (writes) await document([row], SCENARIOS.map(nameOf));
      const next = scenarios[index + 1];
      if (next && next.base === undefined) await putBack(ground, scenario);
    }
  } finally {
    await ground.close(options.keep ?? false);
  }
  print(rows, options.json ?? false);
  return rows.every(({ met }) => met) ? 0 : 1;
}

/** The fleet as the next drill expects it: mended where that is possible, else a new one. */
async function putBack(ground: Ground, scenario: Scenario) {
  try {
    await scenario.after?.(ground);
    if (scenario.base) await ground.anew(BASE);
    else await ground.mustUp(BASE);
  } catch (error) {
    say(
      `  ${(error as Error).message.trim()}\n  The fleet did not come back: bringing up another …`,
    );
    await ground.anew(BASE);
  }
}

function choose(names: readonly string[]): readonly Scenario[] {
  const known = SCENARIOS.map(nameOf);
  const unknown = names.filter((name) => name !== "all" && !known.includes(name));
  if (names.length === 0 || unknown.length > 0) {
    const fault = names.length === 0 ? "Which drill?" : `There is no drill ${unknown.join(", ")}.`;
    const list = SCENARIOS.map(({ name, action }) => `  ${name.padEnd(18)}${action}`);
    throw new Fault(`${fault} Choose of:\n${list.join("\n")}\n  ${"all".padEnd(18)}every one`);
  }
  if (names.includes("all")) return SCENARIOS;
  return names.flatMap((name) => SCENARIOS.filter((scenario) => scenario.name === name));
}

function print(rows: readonly Row[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ machine: machine(), rows })}\n`);
    return;
  }
  const { cores, memoryGib, cpu } = machine();
  process.stdout.write(`${cores} cores (${cpu}), ${memoryGib} GiB\n`);
  const table = newTable(
    [
      "action",
      "duration",
      "requests",
      "failed",
      "allowed",
      "p50 / p99",
      "recovered after",
      "CPU left",
      "rows lost",
      "longest pause",
      "goal",
    ],
    { wordWrap: true, colWidths: [34] },
  );
  for (const row of rows) {
    table.push([
      row.action,
      `${row.seconds} s`,
      row.requests,
      row.failed,
      row.allowed,
      `${row.p50Ms} / ${row.p99Ms} ms`,
      `${row.recoverSeconds} s`,
      `${Math.round(row.cpuLeft * 100)} %`,
      ...(row.rowsWritten === undefined
        ? ["", ""]
        : [`${row.rowsLost} of ${row.rowsWritten}`, `${row.pauseMs} ms`]),
      row.met ? pc.green("met") : pc.red("missed"),
    ]);
  }
  process.stdout.write(`${table.toString()}\n`);
}

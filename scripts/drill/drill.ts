/** One drill: load on the front address while something changes or breaks. */
import { setTimeout as delay } from "node:timers/promises";
import { watchIdleCpu } from "../bench/report";
import type { Ground, StackConfig } from "./ground";
import { type Failure, type Front, REQUESTS_PER_SECOND, startLoad } from "./load";

export interface Scenario {
  readonly name: string;
  /** What is done, for the table. */
  readonly action: string;
  /**
   * For a crash, how much may fail beside what was on its way: the dead share of what is sent until the
   * Load Balancer or the edge has noticed. Absent for planned changes: nothing may fail.
   */
  readonly crash?: { readonly share: number; readonly detectionSeconds: number };
  /** Longest that a write may wait. @default any time */
  readonly maxPauseMs?: number;
  /**
   * The change, under load. What must be known before is found out by an earlier step, so that the clock of a
   * crash starts with it.
   *
   * @returns what else is worth a word, and what became of rows where it wrote some.
   * @throws {Error} when it did not end as it should.
   */
  readonly prepare: (ground: Ground) => Promise<() => Promise<readonly string[] | Outcome>>;
  /** Stack that it begins with, which is made for it. @default the fleet that drills share */
  readonly base?: StackConfig | ((ground: Ground) => Promise<StackConfig>);
  /** Where the load goes. @default the stack's URL */
  readonly front?: (ground: Ground) => Promise<Front>;
  /** Puts back what was broken, without load. */
  readonly after?: (ground: Ground) => Promise<void>;
}

/** What became of rows. */
export interface Rows {
  /** Acknowledged. */
  readonly rowsWritten: number;
  /** Of those, how many were not there at the end. */
  readonly rowsLost: number;
  /** Longest time without an acknowledged write. */
  readonly pauseMs: number;
  /** What a restore would take for a GiB of the same kind. @default nothing was restored that is worth it */
  readonly secondsPerGib?: number;
}

export interface Outcome extends Rows {
  readonly notes: readonly string[];
  /** Writes that were refused or not answered. */
  readonly failedWrites: readonly string[];
}

/** What happened. */
export interface Row extends Partial<Rows> {
  readonly scenario: string;
  readonly action: string;
  /** From the start of the action to its end. */
  readonly seconds: number;
  /** Requests before, during and after it. */
  readonly requests: number;
  readonly failed: number;
  /** Failures that the design allows. */
  readonly allowed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the start of the action to the last failure; 0 when nothing failed. */
  readonly recoverSeconds: number;
  /** Share of all cores that was idle, 0 to 1. */
  readonly cpuLeft: number;
  readonly met: boolean;
  /** Kinds of failure with their counts, and what else is worth a word. */
  readonly notes: readonly string[];
}

const plainFront = async (ground: Ground): Promise<Front> => ({
  url: (await ground.outputs()).url,
});

/** Load alone, before and after the action. */
const QUIET_MS = 3000;

export async function runDrill(ground: Ground, scenario: Scenario): Promise<Row> {
  const { name, action, crash } = scenario;
  const act = await scenario.prepare(ground).catch((error: Error) => () => Promise.reject(error));
  const front = await (scenario.front ?? plainFront)(ground);
  const idle = watchIdleCpu();
  const load = startLoad(front);
  await delay(QUIET_MS);

  const started = Date.now();
  const onTheirWay = load.inFlight();
  const problems: string[] = [];
  const came = await act().catch((error: Error) => {
    problems.push(error.message);
    return [];
  });
  const { notes, failedWrites, ...rows }: Partial<Outcome> = isOutcome(came)
    ? came
    : { notes: came };
  const ended = Date.now();
  const { pauseMs = 0 } = rows;
  if (pauseMs > (scenario.maxPauseMs ?? Infinity))
    problems.push(`a write waited for ${pauseMs} ms, ${scenario.maxPauseMs} allowed`);
  await delay(QUIET_MS);

  const { requests, failures, p50Ms, p99Ms } = await load.stop();
  const failed = failures.length + (failedWrites?.length ?? 0);
  const allowed = crash
    ? onTheirWay + Math.ceil(crash.share * crash.detectionSeconds * REQUESTS_PER_SECOND)
    : 0;
  return {
    scenario: name,
    action,
    seconds: tenth((ended - started) / 1000),
    requests,
    failed,
    allowed,
    p50Ms,
    p99Ms,
    recoverSeconds: tenth(Math.max(0, ...failures.map(({ at }) => (at - started) / 1000))),
    cpuLeft: Math.round(idle() * 100) / 100,
    ...rows,
    met: problems.length === 0 && failed <= allowed && (rows.rowsLost ?? 0) === 0,
    notes: [
      ...problems,
      ...(notes ?? []),
      ...kinds(failedWrites ?? []),
      ...kinds(failures.map(({ reason }) => reason)),
      ...whenFailed(failures, started),
    ],
  };
}

const isOutcome = (came: readonly string[] | Outcome): came is Outcome => !Array.isArray(came);

/** `["12 × HTTP 503"]`, the most frequent first. */
export function kinds(reasons: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${count} × ${reason}`);
}

/** When requests that failed were sent, as seconds of the drill. */
function whenFailed(failures: readonly Failure[], started: number): string[] {
  if (failures.length === 0) return [];
  const moments = [...new Set(failures.map(({ sentAt }) => Math.round((sentAt - started) / 1000)))];
  return [`sent at second ${moments.sort((a, b) => a - b).join(", ")}`];
}

const tenth = (value: number) => Math.round(value * 10) / 10;

/** What our programs take, beside the programs that everybody would use, in the same run. */
import { spawn } from "node:child_process";
import { loadavg } from "node:os";
import { Fault } from "../../local/fault";
import { median, type Figure } from "./report";

export const MIB = 2 ** 20;

/** No more than a tenth slower (issue 5). */
const GOAL = 1.1;

/** Of each, in turns. */
export const RUNS = 3;

/**
 * @param ours seconds of each run.
 * @param theirs the same.
 * @param mib that each of them moves.
 */
export function ratio(
  figure: string,
  ours: readonly number[],
  theirs: readonly number[],
  mib: number,
  details: Figure["details"] = {},
): Figure {
  const [a, b] = [median(ours), median(theirs)];
  return {
    figure,
    value: a / b,
    unit: "ratio",
    goal: GOAL,
    details: {
      size: `${mib.toFixed(0)} MiB`,
      ours: `${a.toFixed(1)} s, ${(mib / a).toFixed(1)} MiB/s`,
      theirs: `${b.toFixed(1)} s, ${(mib / b).toFixed(1)} MiB/s`,
      ...details,
      runs: ours.length === 1 ? "one" : `medians of ${ours.length}`,
      "load average": loadavg()[0]?.toFixed(1) ?? "unknown",
    },
  };
}

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = Date.now();
  await work();
  return (Date.now() - started) / 1000;
}

/** @throws {Fault} with what the program complained of. */
export async function run(
  program: string,
  words: readonly string[],
  input = "",
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(program, words, {
    stdio: ["pipe", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4096)));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", () => reject(new Fault(`${program} is missing: apt-get install it.`)));
    child.once("close", resolve);
  });
  if (code !== 0) throw new Fault(`${program} ended with ${code}: ${stderr.trim()}`);
}

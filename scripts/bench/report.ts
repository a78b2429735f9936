/** How a measured figure is told, to people and to programs. */
import * as os from "node:os";
import { newTable } from "../operator/table";
import { processOf } from "./proc";

export interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: "ratio" | "s" | "MiB";
  /** Greatest value that meets the goal; absent where none is set. */
  readonly goal?: number;
  /** What it was computed from. */
  readonly details: Readonly<Record<string, string | number>>;
}

export const machine = () => ({
  cores: os.cpus().length,
  memoryGib: Math.round(os.totalmem() / 2 ** 30),
  cpu: os.cpus()[0]?.model ?? "unknown",
  node: process.version,
});

/** Share of all cores that was idle between this call and the call of what it returns; 0 to 1. */
export function watchIdleCpu(): () => number {
  const sum = () =>
    os.cpus().reduce(
      ({ idle, all }, { times }) => ({
        idle: idle + times.idle,
        all: all + times.idle + times.user + times.sys + times.nice + times.irq,
      }),
      { idle: 0, all: 0 },
    );
  const start = sum();
  return () => {
    const end = sum();
    return (end.idle - start.idle) / (end.all - start.all || 1);
  };
}

/**
 * Processor seconds of every process that this one has started and that has ended, with those that they started: on a
 * busy machine they stay what they are, where the time on the clock does not. NaN where there is no /proc.
 */
export function cpuSecondsOfChildren(): number {
  return processOf(process.pid)?.cpuSecondsOfChildren ?? NaN;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
};

export function print(figures: readonly Figure[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ machine: machine(), figures })}\n`);
    return;
  }
  const { cores, memoryGib, cpu, node } = machine();
  process.stdout.write(`${cores} cores (${cpu}), ${memoryGib} GiB, Node.js ${node}\n`);
  const table = newTable(["figure", "value", "goal", "from"], {
    wordWrap: true,
    colWidths: [34, 10, 8, 60],
  });
  for (const { figure, value, unit, goal, details } of figures) {
    const text = unit === "ratio" ? value.toFixed(2) : `${value.toFixed(1)} ${unit}`;
    const from = Object.entries(details).map(([key, detail]) => `${key}: ${detail}`);
    table.push([figure, text, goal === undefined ? "" : `≤ ${goal}`, from.join("\n")]);
  }
  process.stdout.write(`${table.toString()}\n`);
}

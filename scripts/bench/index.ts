/** `npm run bench`: the design's figures, each measured in one run on this machine. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Fault } from "../../local/fault";
import { reset } from "../../local/reset";
import { backup } from "./backup";
import { firstResponse } from "./first-response";
import { migration } from "./migration";
import { nodes } from "./nodes";
import { preview } from "./preview";
import { print, type Figure } from "./report";
import { waits } from "./waits";

const FIGURES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  preview,
  waits,
  nodes,
  migration,
  backup,
  "first-response": firstResponse,
};

/**
 * @param names figures to measure; none = all.
 * @returns 1 when a goal was missed.
 */
export async function bench(
  names: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  const unknown = names.filter((name) => !(name in FIGURES));
  if (unknown.length > 0) {
    throw new Fault(
      `There is no figure ${unknown.join(", ")}: choose of ${Object.keys(FIGURES).join(", ")}.`,
    );
  }
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries(FIGURES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    process.stderr.write(`Measuring ${name} …\n`);
    figures.push(...(await inOwnCloud(measure)));
  }
  print(figures, options.json ?? false);
  return figures.every(({ value, goal }) => goal === undefined || value <= goal) ? 0 : 1;
}

/** Each figure starts from nothing, beside whatever the user has running. */
async function inOwnCloud<T>(measure: () => Promise<T>): Promise<T> {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "archipelago-bench-"));
  const kept = process.env.ARCHIPELAGO_LOCAL_DIR;
  process.env.ARCHIPELAGO_LOCAL_DIR = path.join(dir, "local");
  try {
    return await measure();
  } finally {
    await reset();
    if (kept === undefined) delete process.env.ARCHIPELAGO_LOCAL_DIR;
    else process.env.ARCHIPELAGO_LOCAL_DIR = kept;
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

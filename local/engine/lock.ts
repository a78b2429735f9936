/** A lock between processes of one machine, for work that must be done once. */
import * as fs from "node:fs";
import * as path from "node:path";
import { lock } from "proper-lockfile";

/** A holder that has not been heard of for so long is dead. */
const STALE_MS = 20_000;

/** Runs `work` while holding `file`; waits while another living process holds it. */
export async function withLock<T>(
  file: string,
  waiting: (text: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const options = { realpath: false, stale: STALE_MS, lockfilePath: `${file}.lock` };
  const release = await lock(file, options).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ELOCKED") throw error;
    waiting("another process is at it; waiting");
    return lock(file, {
      ...options,
      retries: { forever: true, minTimeout: 500, maxTimeout: 2000, retries: 10_000 },
    });
  });
  try {
    return await work();
  } finally {
    await release();
  }
}

import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/** For this user alone, whatever was there. */
export function writePrivate(file: string, content: string): void {
  writeFileSync(file, content, { mode: 0o600 });
  chmodSync(file, 0o600);
}

/**
 * A new directory for this user alone. What is in those of processes that were killed is removed: they held logins and keys.
 *
 * @param parent is in memory.
 * @param kind begins its name.
 */
export function privateDirectory(parent: string, kind: string): string {
  for (const name of readdirSync(parent)) {
    const [, owner] = new RegExp(`^${kind}-(\\d+)-`).exec(name) ?? [];
    if (owner === undefined || !isGone(Number(owner))) continue;
    try {
      rmSync(path.join(parent, name), { recursive: true, force: true, maxRetries: 10 });
    } catch {
      // Another user's.
    }
  }
  return mkdtempSync(path.join(parent, `${kind}-${process.pid}-`));
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

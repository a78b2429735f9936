import { chmodSync, writeFileSync } from "node:fs";

/** For this user alone, whatever was there. */
export function writePrivate(file: string, content: string): void {
  writeFileSync(file, content, { mode: 0o600 });
  chmodSync(file, 0o600);
}

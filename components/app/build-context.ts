import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Never part of an image worth having; leaving them out keeps the hash the same on every machine. */
const IGNORED = new Set([".git", "node_modules", ".DS_Store"]);

/**
 * Hash of a build context: names, execute bits and contents. Files that .dockerignore names count too; at
 * worst that is a build too many.
 *
 * @returns 12 hexadecimal digits.
 */
export function contextHash(directory: string): string {
  const hash = createHash("sha256");
  for (const file of files(directory, "")) {
    const full = path.join(directory, file);
    const { mode } = fs.lstatSync(full);
    const link = fs.lstatSync(full).isSymbolicLink();
    const content = link ? Buffer.from(fs.readlinkSync(full)) : fs.readFileSync(full);
    hash.update(`${file}\0${link ? "l" : mode & 0o100 ? "x" : "-"}\0${content.length}\0`);
    hash.update(content);
  }
  return hash.digest("hex").slice(0, 12);
}

function files(directory: string, below: string): string[] {
  return fs
    .readdirSync(path.join(directory, below), { withFileTypes: true })
    .filter(({ name }) => !IGNORED.has(name))
    .flatMap((entry) => {
      const file = path.posix.join(below, entry.name);
      return entry.isDirectory() ? files(directory, file) : [file];
    })
    .sort();
}

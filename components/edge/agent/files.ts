import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Replaces a file as a whole, so that a reader or a crash never sees half of it. Creates its directory.
 *
 * The half of it is hidden: HAProxy loads whatever a directory of certificates holds, except names that begin with a
 * dot (configuration manual, "crt").
 */
export function writeWhole(path: string, contents: string, mode = 0o644): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  const temporary = join(directory, `.${basename(path)}.new`);
  writeFileSync(temporary, contents, { mode });
  renameSync(temporary, path);
}

/** The file's text, or undefined when there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

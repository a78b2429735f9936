/** A consistent copy of a SQLite file of another machine, here. */
import { createWriteStream } from "node:fs";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { Fault } from "../../../local/fault";
import { CommandFailed, type Host } from "./host";

/**
 * By SQLite's online backup where the machine has its program: the app may go on writing. Elsewhere the file and its
 * write-ahead log are copied as they are, which a writer may tear apart: the migration finds that out, and refuses it.
 *
 * @param dir of this machine.
 * @returns the copy's path.
 */
export async function fetchSqlite(host: Host, file: string, dir: string): Promise<string> {
  const here = path.join(dir, "app.db");
  const hasProgram = await host.succeeds("command -v sqlite3 >/dev/null");
  try {
    if (hasProgram) await fetch(host, BACKUP, file, here);
    else {
      await fetch(host, 'cat "$1"', file, here);
      await fetch(host, 'if [ -e "$1-wal" ]; then cat "$1-wal"; fi', file, `${here}-wal`);
    }
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new Fault(`${file} on ${host.name} cannot be read: ${error.message}`);
  }
  return here;
}

const BACKUP = `umask 077
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
sqlite3 -readonly -batch "$1" '.timeout 10000' ".backup '$dir/copy'"
cat "$dir/copy"`;

async function fetch(host: Host, script: string, file: string, here: string): Promise<void> {
  const running = host.start(script, file);
  running.stdin.end();
  await pipeline(running.stdout, createWriteStream(here, { mode: 0o600 }));
  await running.ended;
}

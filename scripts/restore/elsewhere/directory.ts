/** A backup's parts as plain files. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import type { Manifest, Part } from "../../../components/backup/agent/manifest";
import { writePrivate } from "../../../components/backup/agent/private";
import { readInto } from "../../../components/backup/agent/read-part";
import { Fault } from "../../../local/fault";
import { size } from "../../backup/agent";
import type { Opened } from "./opened";

/** Says which files are whole. */
const RECORD = "restored.json";

const record = z.object({ backup: z.string(), files: z.array(z.string()) });

/** `database-app.dump`. */
export const plainName = ({ file }: Pick<Part, "file">) => file.replace(/\.zst\.age$/, "");

/**
 * Writes each part to a file of its own, for this user alone. What an earlier attempt has finished is not read again.
 *
 * @returns the files.
 * @throws {Fault} when the directory holds something else, or there is no room.
 */
export async function intoDirectory(
  opened: Opened,
  { id }: Manifest,
  parts: readonly Part[],
  directory: string,
  identity: string,
): Promise<string[]> {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const done = finishedIn(directory, id);
  const pending = parts.filter((part) => !done.includes(plainName(part)));
  mustFit(directory, pending);
  for (const part of pending) {
    const file = path.join(directory, plainName(part));
    const partial = `${file}.partial`;
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    try {
      const to = fs.createWriteStream(partial, { mode: 0o600, flush: true });
      await readInto(opened, { store: opened.store, id, identity }, part, to);
    } catch (error) {
      fs.rmSync(partial, { force: true });
      throw error;
    }
    fs.renameSync(partial, file);
    done.push(plainName(part));
    writePrivate(path.join(directory, RECORD), `${JSON.stringify({ backup: id, files: done })}\n`);
  }
  return parts.map((part) => path.join(directory, plainName(part)));
}

function finishedIn(directory: string, id: string): string[] {
  const file = path.join(directory, RECORD);
  if (fs.existsSync(file)) {
    const { backup, files } = record.parse(JSON.parse(fs.readFileSync(file, "utf8")));
    if (backup === id) return files.filter((name) => fs.existsSync(path.join(directory, name)));
    throw new Fault(`${directory} has files of backup ${backup}: name another directory.`);
  }
  if (fs.readdirSync(directory).every((name) => name.endsWith(".partial"))) return [];
  throw new Fault(`${directory} is not empty: name another directory.`);
}

/** Plain files are about as large as what they were made of. */
function mustFit(directory: string, parts: readonly Part[]): void {
  const needed = parts.reduce((sum, { originalBytes }) => sum + originalBytes, 0);
  const { bavail, bsize } = fs.statfsSync(directory);
  if (bavail * bsize >= needed) return;
  throw new Fault(
    `Not enough room in ${directory}: about ${size(needed)} are needed, and ${size(bavail * bsize)} are free.`,
  );
}

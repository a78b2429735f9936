/** `npm run backup -- keygen [file]`: the key that opens backups. */
import * as fs from "node:fs";
import * as path from "node:path";
import { newAgeKey } from "../../components/backup/age-key";
import { Fault } from "../../local/fault";

/** Where the key is looked for, unless a command is told another file. */
export const DEFAULT_IDENTITY = "archipelago-backup.key";

/** @throws {Fault} when the file is there already: a key is never overwritten. */
export function keygen(file = DEFAULT_IDENTITY, json = false): number {
  const { identity, recipient } = newAgeKey();
  const text = `# Opens Archipelago's backups. Public key: ${recipient}\n${identity}\n`;
  try {
    fs.writeFileSync(file, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Fault(`${file} is there already, and backups may need it: name another file.`);
  }
  const where = path.resolve(file);
  process.stdout.write(
    json
      ? `${JSON.stringify({ file: where, recipient })}\n`
      : `The secret key is in ${where}. Keep it in two places that are not the stack, such as a password manager and paper:
without it no backup can be opened, by nobody. It is not needed to make backups; do not put it on a server or into Git.

The public key goes into the stack file:

  archipelago:backup:
    recipient: ${recipient}
    second: …
`,
  );
  return 0;
}

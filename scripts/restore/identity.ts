import * as fs from "node:fs";
import { identityIn, recipientOf } from "../../components/backup/age-key";
import { Fault } from "../../local/fault";

/** @throws {Fault} when the file cannot be read, holds no key, or one that does not open the backup. */
export function readIdentity(file: string, recipient?: string): string {
  let text: string;
  try {
    text = file === "-" ? fs.readFileSync(0, "utf8") : fs.readFileSync(file, "utf8");
  } catch {
    throw new Fault(
      `The secret key is not in ${file}: --identity names its file, - is standard input.`,
    );
  }
  try {
    const own = recipientOf(text);
    if (recipient === undefined || own === recipient) return identityIn(text);
    throw new Error(
      `it opens what is encrypted to ${own}, and the backup was encrypted to ${recipient}`,
    );
  } catch (error) {
    throw new Fault(`The key in ${file} is of no use here: ${(error as Error).message}.`);
  }
}

/** Asks before something that cannot be taken back. */
import { createInterface } from "node:readline/promises";
import { Fault } from "../../local/fault";

/** @throws {Fault} where nobody can be asked. */
export function mustBeAskable(): void {
  if (process.stdin.isTTY) return;
  throw new Fault("Nobody can be asked here: --yes goes on without a question.");
}

/** Whether a person types the stack's name. @throws {Fault} where nobody can be asked. */
export async function agree(stack: string): Promise<boolean> {
  mustBeAskable();
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`To go on, type the stack's name (${stack}): `);
    return answer.trim() === stack;
  } finally {
    reader.close();
  }
}

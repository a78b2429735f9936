/** `npm run backup -- <stack> [list|test-alarm]`, `npm run backup -- keygen [file]`. */
import { Fault } from "../../local/fault";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { findTarget } from "../operator/target";
import { askAgent, Follower, size } from "./agent";
import { keygen } from "./keygen";
import { listBackups, listingOf } from "./list";
import { testAlarm } from "./test-alarm";

export interface BackupOptions {
  readonly cloud?: boolean;
  readonly json?: boolean;
}

/** @returns 0 when the backup is in every place, or every place answered, and nothing there is damaged. */
export async function backup(
  stack: string,
  words: readonly string[],
  { cloud = false, json = false }: BackupOptions,
): Promise<number> {
  if (stack === "keygen") return keygen(words[0], json);
  const [word] = words;
  if (word !== undefined && word !== "list" && word !== "test-alarm") {
    throw new Fault(
      `npm run backup -- ${stack} takes \`list\`, \`test-alarm\` or nothing, got ${word}`,
    );
  }
  const target = await findTarget(stack, cloud);
  try {
    if (word === "list") {
      const { failures, ...listing } = await listBackups(target);
      for (const failure of failures) process.stderr.write(`${failure}\n`);
      process.stdout.write(`${json ? JSON.stringify(listing) : listingOf(listing)}\n`);
      return failures.length > 0 ? 1 : 0;
    }
    if (word === "test-alarm") return await testAlarm(target, json);
    return await run(stack, json, (onEvent) => askAgent(target, "run", onEvent));
  } finally {
    closeConnections();
  }
}

async function run(
  stack: string,
  json: boolean,
  ask: (onEvent: Follower["show"]) => Promise<number>,
): Promise<number> {
  const began = Date.now();
  const follower = new Follower();
  process.once("SIGINT", () => {
    process.stderr.write(`\nThe backup goes on in the stack: npm run logs -- ${stack} backup\n`);
    process.exit(130);
  });
  const code = await ask((event) => {
    if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
    else follower.show(event);
    if (event.event !== "done" || json) return;
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    process.stdout.write(
      `Backup ${String(event.backup)} is in both places, ${size(event.bytes ?? 0)} each, read back and verified: ${seconds} s.\n`,
    );
  });
  return code;
}

/** `npm run backup -- <stack> test-alarm`: sends an alarm on purpose. */
import { loader } from "../../components/bundle";
import { WATCH_CODE_FILE, WATCH_SERVICE } from "../../components/backup/watch-settings";
import { Fault } from "../../local/fault";
import { runningTask } from "../operator/one-off";
import type { Target } from "../operator/target";
import { askTask } from "./agent";

/**
 * @returns 0 when every way was taken.
 * @throws {Fault} when there is nobody to tell, or the watcher does not run.
 */
export async function testAlarm(target: Target, json: boolean): Promise<number> {
  const { stack, outputs } = target;
  const ways = outputs.backup?.alarm ?? [];
  if (!ways.includes("webhook") && !ways.includes("mail")) {
    throw new Fault(
      ways.includes("heartbeat")
        ? `Nobody is told by ${stack} itself: its heartbeat goes out after each backup, such as npm run backup -- ${stack} makes, and archipelago:backup.alarm has no webhook or mail.`
        : `Nobody is told when backups of ${stack} stop: add archipelago:backup.alarm to its file and run \`up\`.`,
    );
  }
  const task = await runningTask(target, WATCH_SERVICE);
  return askTask(task, [loader(WATCH_CODE_FILE), "test"], (event) => {
    if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
    else if (event.event === "failed") process.stderr.write(`Not sent: ${event.text ?? ""}\n`);
    else if (event.event === "done") {
      process.stdout.write(`Sent by ${String(event.channel)}, from ${task.node.name}.\n`);
    }
  });
}

/** A Pulumi command on the local DigitalOcean, after putting right what an interruption left. */
import { pulumi, type LocalEngine, type Result } from "../local/pulumi";
import { stackNames } from "../local/stack-copy";
import { wasInterrupted } from "../local/state";
import { heal } from "./heal";

const CHANGING = ["up", "update", "preview", "refresh", "destroy"];

export async function localPulumi(
  local: LocalEngine,
  words: readonly string[],
  output: "inherit" | "capture" = "inherit",
): Promise<Result> {
  const stack = words.find((word) => stackNames().includes(word));
  if (stack !== undefined && CHANGING.includes(words[0] ?? "") && wasInterrupted(stack)) {
    const run = (command: readonly string[]) => pulumi(local, [...command, stack], "capture");
    const lines = await heal(run, local.daemon);
    for (const line of lines) process.stderr.write(`${line}\n`);
  }
  return pulumi(local, words, output);
}

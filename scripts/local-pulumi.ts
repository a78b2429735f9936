/** A Pulumi command on the local DigitalOcean, after putting right what an interruption or a hand left. */
import { pulumi, type LocalEngine, type Result } from "../local/pulumi";
import { spacesForStack } from "../local/spaces";
import { stackNames, wantsFiles } from "../local/stack-copy";
import { hasBucket, hasDeletedWith, wasInterrupted } from "../local/state";
import { leadToLivingManager } from "./dead-docker-host";
import { heal } from "./heal";
import { forgetLost } from "./lost-swarm";

const CHANGING = ["up", "update", "preview", "refresh", "destroy"];

export async function localPulumi(
  engine: LocalEngine,
  words: readonly string[],
  output: "inherit" | "capture" = "inherit",
): Promise<Result> {
  const stack = words.find((word) => stackNames().includes(word));
  let local = engine;
  if (stack !== undefined && CHANGING.includes(words[0] ?? "")) {
    if (wantsFiles(stack) || hasBucket(stack)) {
      const environment = { ...engine.environment, ...(await spacesForStack(engine.daemon)) };
      local = { ...engine, environment };
    }
    const run = (command: readonly string[]) => pulumi(local, [...command, stack], "capture");
    const lines = wasInterrupted(stack) ? await heal(run, local.daemon) : [];
    if (refreshes(words) && hasDeletedWith(stack)) {
      // Whoever connects to a node reads the key's place from here, as Pulumi does.
      process.env.ARCHIPELAGO_SSH_KEY = local.sshKey;
      lines.push(...(await forgetLost(run, local.daemon)), ...(await leadToLivingManager(run)));
    }
    for (const line of lines) process.stderr.write(`${line}\n`);
  }
  return pulumi(local, words, output);
}

/** Whether the command compares the state with reality, and writes down what it found. */
function refreshes(words: readonly string[]): boolean {
  if (words.includes("--preview-only")) return false;
  return words[0] === "refresh" || words.some((word) => /^(-r|--refresh(=true)?)$/.test(word));
}

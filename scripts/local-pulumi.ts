/** A Pulumi command on the local DigitalOcean, after putting right what an interruption or a hand left. */
import { Fault } from "../local/fault";
import { pulumi, type LocalEngine, type Result } from "../local/pulumi";
import { spacesForStack } from "../local/spaces";
import { stackNames, wantsFiles } from "../local/stack-copy";
import { hasBastion, hasBucket, hasDeletedWith, wasInterrupted } from "../local/state";
import { leadToLivingManager } from "./dead-docker-host";
import { heal } from "./heal";
import { forgetLostBastion } from "./lost-bastion";
import { forgetLost } from "./lost-swarm";

const REFRESH = /^(-r|--refresh(=true)?)$/;

const CHANGING = ["up", "update", "preview", "refresh", "destroy"];

export async function localPulumi(
  engine: LocalEngine,
  words: readonly string[],
  output: "inherit" | "capture" = "inherit",
): Promise<Result> {
  const stack = words.find((word) => stackNames().includes(word));
  let local = engine;
  let command = words;
  if (stack !== undefined && CHANGING.includes(words[0] ?? "")) {
    if (wantsFiles(stack) || hasBucket(stack)) {
      const environment = { ...engine.environment, ...(await spacesForStack(engine.daemon)) };
      local = { ...engine, environment };
    }
    const run = (some: readonly string[]) => pulumi(local, [...some, stack], "capture");
    const lines = wasInterrupted(stack) ? await heal(run, local.daemon) : [];
    const bastions = hasBastion(stack) ? await forgetLostBastion(run, local.daemon) : [];
    lines.push(...bastions);
    if (bastions.length > 0) command = withoutBastion(words, stack);
    if (refreshes(command) && hasDeletedWith(stack)) {
      // Whoever connects to a node reads the key's place from here, as Pulumi does.
      process.env.ARCHIPELAGO_SSH_KEY = local.sshKey;
      lines.push(...(await forgetLost(run, local.daemon)), ...(await leadToLivingManager(run)));
    }
    for (const line of lines) process.stderr.write(`${line}\n`);
  }
  return pulumi(local, command, output);
}

/**
 * What can be done while no node is to be reached: `up`, and its preview.
 *
 * @throws {Fault} when it is something else.
 */
function withoutBastion(words: readonly string[], stack: string): readonly string[] {
  const [command = ""] = words;
  if (["up", "update", "preview"].includes(command))
    return words.filter((word) => !REFRESH.test(word));
  throw new Fault(
    `The bastion of ${stack} is gone, and no node is reached without one: npm run local -- up ${stack} makes another one; then ${command} again.`,
  );
}

/** Whether the command compares the state with reality, and writes down what it found. */
function refreshes(words: readonly string[]): boolean {
  if (words.includes("--preview-only")) return false;
  return words[0] === "refresh" || words.some((word) => REFRESH.test(word));
}

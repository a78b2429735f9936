/** The files of Pulumi's own backend in local mode: which stacks exist, and what an interruption left behind. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { localDir } from "./paths";

const PROJECT = "archipelago";
const stateDir = (...parts: string[]) => path.join(localDir(), "state/.pulumi", ...parts);
const stateFile = (stack: string) => stateDir("stacks", PROJECT, `${stack}.json`);

/** Whether the stack was ever brought up here. */
export function isKnown(stack: string): boolean {
  return fs.existsSync(stateFile(stack));
}

/** Whether an update of the stack ended in the middle of an operation. */
export function wasInterrupted(stack: string): boolean {
  return stateMentions(stack, '"pending_operations"');
}

/** Whether the stack has resources that go when another one goes. */
export function hasDeletedWith(stack: string): boolean {
  return stateMentions(stack, '"deletedWith"');
}

/** Whether the stack has a bastion. */
export function hasBastion(stack: string): boolean {
  return stateMentions(stack, '"archipelago:bastion:Bastion"');
}

/** Whether the stack has a bucket. */
export function hasBucket(stack: string): boolean {
  return stateMentions(stack, '"digitalocean:index/spacesBucket:SpacesBucket"');
}

function stateMentions(stack: string, words: string): boolean {
  return isKnown(stack) && fs.readFileSync(stateFile(stack), "utf8").includes(words);
}

const lock = z.object({ pid: z.number() });

/** Removes the locks of engines that died; a living one keeps its lock, and Pulumi says so. */
export function dropDeadLocks(stack: string): void {
  const dir = stateDir("locks/organization", PROJECT, stack);
  if (!fs.existsSync(dir)) return;
  for (const name of fs.readdirSync(dir)) {
    const file = path.join(dir, name);
    const holder = lock.safeParse(JSON.parse(fs.readFileSync(file, "utf8") || "{}"));
    if (!holder.success || !isAlive(holder.data.pid)) fs.rmSync(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

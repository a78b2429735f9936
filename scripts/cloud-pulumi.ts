/** Pulumi as the user has it, on the backend that they have selected. */
import { Fault } from "../local/fault";
import { checkout } from "../local/paths";
import { type Result, runToEnd } from "../local/run-to-end";
import { leadToLivingManager } from "./dead-docker-host";
import { heal } from "./heal";
import { forgetLostBastion } from "./lost-bastion";
import { forgetLost } from "./lost-swarm";
import type { RunOptions } from "./stack-pulumi";

const DIGITALOCEAN_API = "https://api.digitalocean.com";

/** Runs the `pulumi` on PATH (npm puts its launcher there), and captures what it prints unless told to show it. */
export function cloudPulumi(
  words: readonly string[],
  { output = "capture", environment = {} }: RunOptions = {},
): Promise<Result> {
  const env = { ...process.env, ...environment };
  return runToEnd("pulumi", words, { cwd: checkout, env, output }).catch((error: Error) => ({
    code: 127,
    stdout: "",
    stderr: error.message,
  }));
}

/** `npm run heal -- <stack>`. @throws {Fault} without a token, or when the stack cannot be read. */
export async function healCloud(stack: string): Promise<number> {
  const token = process.env.DIGITALOCEAN_TOKEN;
  if (!token) throw new Fault("DIGITALOCEAN_TOKEN is not set: export a token with read access.");
  const run = async (words: readonly string[]) => {
    const result = await cloudPulumi([...words, "--stack", stack]);
    if (result.code !== 0 && words[1] === "export") throw new Fault(result.stderr.trim());
    return result;
  };
  const api = { url: process.env.DIGITALOCEAN_API_URL ?? DIGITALOCEAN_API, token };
  const lines = [...(await heal(run, api)), ...(await forgetLost(run, api))];
  const bastions = await forgetLostBastion(run, api);
  // Without a bastion no node answers.
  lines.push(...(bastions.length > 0 ? bastions : await leadToLivingManager(run)));
  process.stdout.write(
    lines.length > 0
      ? `${lines.join("\n")}\n`
      : `Nothing was interrupted in ${stack}, and its nodes answer.\n`,
  );
  return 0;
}

/** Runs the real Pulumi engine against the local DigitalOcean. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Daemon } from "./daemon/client";
import { checkout, localDir } from "./paths";
import { type Result, runToEnd } from "./run-to-end";
import { dropDeadLocks, isKnown } from "./state";
import { copyStack, stackNames } from "./stack-copy";

export type { Result } from "./run-to-end";

export interface LocalEngine {
  readonly daemon: Daemon;
  /** Directory of `pulumi` and its language host. */
  readonly engineDir: string;
  readonly sshKey: string;
  /** More for the engine's environment. @default nothing */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Variables that would lead a local run to somebody's real accounts. */
const FOREIGN = /^(PULUMI_|DIGITALOCEAN_|SPACES_|AWS_|DOCKER_HOST$|DOCKER_CONTEXT$)/;

/** The environment of a local run: a PULUMI_HOME, a backend and credentials of our own, never the user's. */
function localEnvironment(local: LocalEngine): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  const state = path.join(localDir(), "state");
  fs.mkdirSync(state, { recursive: true });
  return {
    ...Object.fromEntries(inherited),
    PATH: `${local.engineDir}${path.delimiter}${process.env.PATH ?? ""}`,
    PULUMI_HOME: pulumiHome(),
    // Attribute files beside the state are not written atomically: a kill would leave a stack that cannot be read.
    PULUMI_BACKEND_URL: `file://${state}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(officialPlugins() ? {} : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
    DIGITALOCEAN_API_URL: local.daemon.url,
    DIGITALOCEAN_TOKEN: local.daemon.token,
    ARCHIPELAGO_LOCAL: "1",
    ARCHIPELAGO_MACHINES: local.daemon.machines,
    ARCHIPELAGO_MY_IP_URL: `${local.daemon.url}/my-ip`,
    ARCHIPELAGO_SSH_KEY: local.sshKey,
    ...local.environment,
  };
}

export const pulumiHome = () => path.join(localDir(), "pulumi");

/** Whether the official provider plugins run instead of our stand-ins: `ARCHIPELAGO_PLUGINS=official`. */
export const officialPlugins = () => process.env.ARCHIPELAGO_PLUGINS === "official";

function passphraseFile(): string {
  const file = path.join(localDir(), "passphrase");
  if (!fs.existsSync(file))
    fs.writeFileSync(file, randomBytes(24).toString("hex"), { mode: 0o600 });
  return file;
}

/**
 * Runs one Pulumi command. The first word that names a stack file chooses the stack; everything else is
 * handed on as it is.
 *
 * @param output `inherit` shows it, `capture` returns it.
 */
export async function pulumi(
  local: LocalEngine,
  words: readonly string[],
  output: "inherit" | "capture" = "inherit",
): Promise<Result> {
  const position = words.findIndex((word) => stackNames().includes(word));
  const stack = words[position];
  const rest = words.filter((_, index) => index !== position);
  const args = stack === undefined ? rest : [...rest, "--stack", stack];
  if (stack !== undefined) {
    const config = copyStack(stack);
    dropDeadLocks(stack);
    if (!isKnown(stack)) {
      const created = await makeStack(local, stack);
      if (created.code !== 0) {
        if (output === "inherit") process.stderr.write(created.stdout + created.stderr);
        return created;
      }
    }
    if (takesConfig(rest)) args.push("--config-file", config);
  }
  // Nothing real can be lost here, so nobody has to be asked where nobody can answer.
  const asks = ["up", "update", "destroy", "refresh"].includes(rest[0] ?? "");
  const decided = rest.some((word) => /^(--yes|-y|--preview-only|--skip-preview)/.test(word));
  if (asks && !decided && !process.stdin.isTTY) args.push("--yes");
  return runPulumi(local, args, output);
}

/**
 * Makes the stack in our backend. `stack init` writes the salt of the stack's encryption into its file and
 * cannot be told which: so it runs in a project whose stack files are the copies.
 */
function makeStack(local: LocalEngine, stack: string): Promise<Result> {
  const project = "name: archipelago\nruntime: nodejs\nstackConfigDir: stacks\n";
  fs.writeFileSync(path.join(localDir(), "Pulumi.yaml"), project);
  return runPulumi(local, ["stack", "init", stack, "--no-select"], "capture", localDir());
}

function takesConfig(words: readonly string[]): boolean {
  return ["up", "update", "preview", "refresh", "destroy", "import", "config"].includes(
    words[0] ?? "",
  );
}

/** Runs the engine with exactly these words, in the directory of a Pulumi project. */
export function runPulumi(
  local: LocalEngine,
  args: readonly string[],
  output: "inherit" | "capture",
  project = checkout,
): Promise<Result> {
  const program = path.join(local.engineDir, "pulumi");
  return runToEnd(program, args, { cwd: project, env: localEnvironment(local), output });
}

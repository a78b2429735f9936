import { defaultVpcCidr, secondVpcCidr } from "./addresses";
import type { Config } from "./config";
import { topologyDefaults } from "./defaults";
import { type Fault, show } from "./faults";
import { fleetOf } from "./fleet";
import { parse, PREFIX } from "./parse";
import { rollOf } from "./roll";
import { ruleFaults } from "./rules";
import { readSshKeys } from "./ssh-keys";

/** Where a program runs: everything about it that is not in the stack file. */
export interface Surroundings {
  /** Name of the Pulumi stack. */
  readonly stack: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory that relative paths of the stack file start at. */
  readonly root: string;
}

/** What came of reading a stack file. */
export interface Reading {
  /** Fit for use when there are no faults; else only for further checks, faulty parts left out. */
  readonly config: Config;
  readonly faults: readonly Fault[];
}

/**
 * Turns Pulumi's configuration into a mapping. Lists and mappings arrive as JSON text.
 *
 * @param all full keys (`archipelago:region`) and their text, as `allConfig()` of Pulumi's runtime gives
 * them. `pulumi.Config` would warn about each mapping that has a secret inside; secrets are wrapped where
 * they are used.
 */
export function fromPulumi(all: Readonly<Record<string, string>>): Record<string, unknown> {
  const own = Object.entries(all).filter(([key]) => key.startsWith(PREFIX));
  return Object.fromEntries(
    own.map(([key, value]) => [key.slice(PREFIX.length), structured(value)]),
  );
}

function structured(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Reads a stack file and finds every fault that can be seen without asking DigitalOcean. */
export function readStackFile(
  given: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Reading {
  const { stack, env, root } = surroundings;
  const { file, faults } = parse({ topology: stack, ...given });
  const local = env.ARCHIPELAGO_LOCAL === "1";
  const ssh = readSshKeys(file.sshKeys, surroundings);
  const config: Config = {
    ...file,
    ...topologyDefaults(file),
    secondSite: file.secondSite && {
      region: file.secondSite.region,
      vpcCidr: file.secondSite.vpcCidr ?? secondVpcCidr(stack),
      nodes: fleetOf({ ...file.secondSite, topology: "ha" }),
    },
    stack,
    vpcCidr: file.vpcCidr ?? defaultVpcCidr(stack),
    sshKeys: ssh.keys,
    protect: !local || file.protect === true,
    machines: env.ARCHIPELAGO_MACHINES === "simulated" ? "simulated" : "real",
    roll: rollOf(env),
  };
  const later = [
    ...stackNameFaults(stack),
    ...ruleFaults(file, config, root),
    ...ssh.faults,
    ...protectFaults(file, local),
  ];
  const found = withoutEchoes(faults, later);
  return { config, faults: found.map((fault) => explainTopology(fault, given)) };
}

/** Joins two rounds of faults; the later round says nothing about what the earlier one left out. */
export function withoutEchoes(earlier: readonly Fault[], later: readonly Fault[]): Fault[] {
  const explained = ({ path, unless = [] }: Fault) =>
    earlier.some(
      (fault) => below(path, fault.path) || unless.some((cause) => below(fault.path, cause)),
    );
  return [...earlier, ...later.filter((fault) => !explained(fault))];
}

/** @returns whether `path` is `ancestor` or a part of it. */
function below(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}.`) || path.startsWith(`${ancestor}[`);
}

/** The stack's name begins Droplet and Volume names; DigitalOcean allows those 64 characters. */
function stackNameFaults(stack: string): Fault[] {
  if (/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/.test(stack)) return [];
  const rule = "must be 1 to 30 lower-case letters, digits and hyphens, a letter first";
  return [{ path: "the stack's name", rule, got: show(stack) }];
}

function protectFaults(
  { protect }: { readonly protect?: boolean | undefined },
  local: boolean,
): Fault[] {
  if (local || protect !== false) return [];
  return [
    {
      path: "archipelago:protect",
      rule: "must be true in the cloud, where configuration can only make protection stricter",
      got: "false",
      remedy: "to destroy a stack, first run pulumi state unprotect --all",
    },
  ];
}

function explainTopology(fault: Fault, given: Readonly<Record<string, unknown>>): Fault {
  if (fault.path !== `${PREFIX}topology` || given.topology !== undefined) return fault;
  return {
    ...fault,
    remedy: "it was taken from the stack's name; set archipelago:topology",
  };
}

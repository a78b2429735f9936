/** What `pulumi preview --json` says of Droplets. */
import { z } from "zod";

const DROPLET = "digitalocean:index/droplet:Droplet";

const state = z.looseObject({
  id: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).default({}),
});

const digest = z.looseObject({
  steps: z
    .array(
      z.looseObject({
        op: z.string(),
        urn: z.string(),
        oldState: state.optional(),
        newState: state.optional(),
        replaceReasons: z.array(z.string()).nullish(),
      }),
    )
    .default([]),
  diagnostics: z
    .array(z.looseObject({ severity: z.string(), message: z.string().default("") }))
    .default([]),
  changeSummary: z.record(z.string(), z.number()).default({}),
});

type Step = z.infer<typeof digest>["steps"][number];

/** A node whose Droplet a change replaces. */
export interface ReplacedNode {
  readonly node: string;
  /** E.g. `size s-2vcpu-4gb → s-4vcpu-8gb`. */
  readonly why: string;
}

export interface Preview {
  readonly replaced: readonly ReplacedNode[];
  /** Resources of any kind that are not as they should be. */
  readonly changes: number;
  /** Droplets that exist, those included whose end an earlier run has left undone. */
  readonly dropletsNow: number;
  readonly dropletsCreated: number;
  readonly dropletsDeleted: number;
}

/** @param json what `pulumi preview --json` printed. */
export function readPreview(json: string): Preview {
  const { steps, changeSummary } = digest.parse(JSON.parse(json));
  const droplets = steps.filter(({ urn }) => urn.split("::")[2]?.split("$").at(-1) === DROPLET);
  const replaced = new Map<string, ReplacedNode>();
  for (const step of droplets.filter(({ op }) => ["replace", "create-replacement"].includes(op))) {
    const node = nodeOf(step);
    replaced.set(node, { node, why: reasonOf(step) });
  }
  const { same = 0, ...others } = changeSummary;
  const all = Object.values(others).reduce((sum, count) => sum + count, same);
  return {
    replaced: [...replaced.values()],
    changes: all - same,
    dropletsNow: new Set(droplets.flatMap(({ oldState }) => oldState?.id ?? [])).size,
    dropletsCreated: droplets.filter(({ op }) => op === "create").length,
    dropletsDeleted: droplets.filter(({ op }) => op === "delete").length,
  };
}

/** By the name of its Droplet, which begins with the stack's: nodes of a second site are called `second-…`. */
function nodeOf({ urn, newState }: Step): string {
  const stack = urn.split("::")[0]?.split(":").at(-1) ?? "";
  const droplet = newState?.inputs["name"];
  return typeof droplet === "string" && droplet.startsWith(`${stack}-`)
    ? droplet.slice(stack.length + 1)
    : (urn.split("::").at(-1) ?? urn);
}

/** The errors of a preview that failed, or all that it printed. */
export function errorsOf({ stdout, stderr }: { stdout: string; stderr: string }): string {
  try {
    const { diagnostics } = digest.parse(JSON.parse(stdout));
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length > 0) return errors.map(({ message }) => message.trim()).join("\n");
  } catch {
    // It failed before it could say anything in JSON.
  }
  return `${stdout}${stderr}`.trim();
}

function reasonOf({ replaceReasons, oldState, newState }: Step): string {
  const reasons = (replaceReasons ?? []).map((key) => {
    const [before, after] = [oldState?.inputs[key], newState?.inputs[key]];
    if (key === "userData") return "other user data";
    if (typeof before !== "string" || typeof after !== "string") return key;
    return `${key} ${before} → ${after}`;
  });
  return reasons.join(", ") || "asked for";
}

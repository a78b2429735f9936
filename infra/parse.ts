import type { z } from "zod";
import { type StackFile, stackSchema } from "./config";
import { type Fault, show, suggest } from "./faults";

export const PREFIX = "archipelago:";

/** What the schema makes of a stack file. */
export interface Parsed {
  /** The file with defaults applied, faulty parts left out. */
  readonly file: StackFile;
  readonly faults: readonly Fault[];
}

/** Stand in for required keys that are missing or faulty, so that everything else can still be checked. */
const STAND_INS: readonly (readonly [path: RegExp, value: unknown])[] = [
  [/^topology$/, "single-node"],
  [/^region$/, "zz0"],
  [/^secondSite\/region$/, "zz1"],
  [/^services$/, {}],
  [/^services\/[^/]+\/build\/context$/, "."],
  [/^services\/[^/]+\/rateLimit\/requests$/, 1],
  [/^domain\/name$/, "stand-in.example"],
  [/^backup\/recipient$/, `age1${"q".repeat(58)}`],
  [/^backup\/second$/, {}],
  [/^backup\/second\/s3\/endpoint$/, "https://stand-in.example"],
  [/^backup\/second\/sftp\/path$/, "/stand-in"],
  [/^backup\/second\/sftp\/hostKey$/, "ssh-ed25519 AAAA"],
  [/^backup\/second\/sftp\/key$/, "-----BEGIN PRIVATE KEY-----\nstand-in"],
  [/^backup\/second\/[^/]+\/[^/]+$/, "stand-in"],
  [/^backup\/alarm\/(webhook|heartbeat)$/, "https://stand-in.example"],
];

/** One thing to report, and the part of the file to leave out for it. */
interface Finding {
  readonly fault: Fault;
  readonly path: readonly PropertyKey[];
  /** Whether the key itself must go. Else a required key gets its stand-in. */
  readonly unknownKey: boolean;
}

/**
 * Checks a stack file against the schema. What is faulty is noted and left out, and the rest is
 * checked again, until every fault is known.
 */
export function parse(given: Readonly<Record<string, unknown>>): Parsed {
  const raw = structuredClone(given) as Record<string, unknown>;
  const faults = new Map<string, Fault>();
  // Leaving out can uncover at most one more layer per level of nesting.
  for (let round = 0; round < 16; round++) {
    const result = stackSchema.safeParse(raw);
    if (result.success) return { file: result.data, faults: [...faults.values()] };
    const findings = new Map<string, Finding>();
    for (const finding of result.error.issues.flatMap((issue) => findingsOf(issue, raw))) {
      if (!findings.has(finding.fault.path)) findings.set(finding.fault.path, finding);
      if (!faults.has(finding.fault.path)) faults.set(finding.fault.path, finding.fault);
    }
    // Last entry of a list first: removing it does not move the others.
    [...findings.values()].reverse().forEach((finding) => leaveOut(raw, finding));
  }
  throw new Error("the faults of this stack file cannot be told apart");
}

/** @returns the path as in a stack file: `archipelago:services.web.routes[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  const [top = "", ...rest] = path;
  const steps = rest.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`));
  return `${PREFIX}${String(top)}${steps.join("")}`;
}

/** Keys whose values are not shown: secrets, and the environment, where many put them by mistake. */
const QUIET = [
  "secrets",
  "environment",
  "alarmWebhook",
  "key",
  "secretKey",
  "webhook",
  "heartbeat",
  "password",
];

function findingsOf(issue: z.core.$ZodIssue, raw: unknown): Finding[] {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const remedy = suggest(key, known) ?? `known keys: ${known.join(", ")}`;
      return {
        fault: { path: pathText(path), rule: "is not a known key", remedy },
        path,
        unknownKey: true,
      };
    });
  }
  const { path, value } = written(raw, issue.path);
  if (issue.code === "invalid_key") {
    const rule = issue.issues[0]?.message ?? issue.message;
    return [{ fault: { path: pathText(path), rule }, path, unknownKey: true }];
  }
  const quiet = QUIET.some((key) => path.includes(key));
  const fault: Fault =
    value === undefined
      ? { path: pathText(path), rule: `is missing; it ${issue.message}` }
      : { path: pathText(path), rule: issue.message, ...(quiet ? {} : { got: show(value) }) };
  return [{ fault, path, unknownKey: false }];
}

/** The part of a path that the user wrote: a short form such as `database: none` has no keys below. */
function written(raw: unknown, path: readonly PropertyKey[]) {
  let value = raw;
  for (const [index, step] of path.entries()) {
    if (typeof value !== "object" || value === null) return { path: path.slice(0, index), value };
    value = Object.hasOwn(value, step) ? (value as Record<PropertyKey, unknown>)[step] : undefined;
    if (value === undefined) return { path: path.slice(0, index + 1), value };
  }
  return { path, value };
}

function leaveOut(raw: Record<string, unknown>, { path, unknownKey }: Finding): void {
  const parent = written(raw, path.slice(0, -1)).value as Record<PropertyKey, unknown>;
  const key = path.at(-1) ?? "";
  const place = path.map(String).join("/");
  const standIn = STAND_INS.find(([pattern]) => pattern.test(place))?.[1];
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (!unknownKey && standIn !== undefined) parent[key] = structuredClone(standIn);
  else delete parent[key];
}

/** What a Zod schema says about its structure. */
interface Definition {
  readonly type: string;
  readonly shape?: Record<string, { readonly def: Definition }>;
  readonly valueType?: { readonly def: Definition };
  readonly element?: { readonly def: Definition };
  readonly innerType?: { readonly def: Definition };
  readonly out?: { readonly def: Definition };
}

/** The keys that the schema knows at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let def: Definition | undefined = structure(stackSchema.def);
  for (const step of path) {
    const next: { readonly def: Definition } | undefined =
      def?.shape?.[String(step)] ?? def?.valueType ?? def?.element;
    def = next && structure(next.def);
  }
  return Object.keys(def?.shape ?? {});
}

/** Looks through defaults, optionals and preprocessing. */
function structure(def: Definition): Definition {
  const inner = def.type === "pipe" ? def.out : def.innerType;
  return inner === undefined ? def : structure(inner.def);
}

import * as pulumi from "@pulumi/pulumi";

/** One thing wrong with a stack file. */
export interface Fault {
  /** As the user wrote it, e.g. `archipelago:services.web.port`. */
  readonly path: string;
  /** Continues the path, e.g. `must be an integer from 1 to 65535`. */
  readonly rule: string;
  /** The offending value as text. Absent where it may be a secret or where nothing was given. */
  readonly got?: string;
  /** What to do about it, where the rule does not say. */
  readonly remedy?: string;
  /** Paths whose own faults explain this one: then it is not reported. */
  readonly unless?: readonly string[];
}

export function describeFault({ path, rule, got, remedy }: Fault): string {
  const value = got === undefined ? "" : `, got ${got}`;
  return `${path} ${rule}${value}${remedy === undefined ? "" : `; ${remedy}`}`;
}

/** Every fault of a stack file in one report. Pulumi prints its message without a stack trace. */
export class StackFaults extends pulumi.RunError {
  constructor(
    stack: string,
    readonly faults: readonly Fault[],
  ) {
    const lines = [...new Set(faults.map(describeFault))].sort();
    const count = lines.length === 1 ? "a fault" : `${lines.length} faults`;
    super(
      `Stack "${stack}" has ${count}; nothing was changed:\n${lines.map((line) => `  ${line}`).join("\n")}`,
    );
  }
}

/** @returns a value as it reads in a stack file: `0`, `"big"`, `a list`. Long text is cut. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "object") return "a mapping";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

/** @returns `did you mean a or b?`, or undefined when no candidate is near. */
export function suggest(name: string, candidates: readonly string[]): string | undefined {
  const reach = Math.max(2, Math.floor(name.length / 3));
  const near = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= reach)
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
  return near.length === 0 ? undefined : `did you mean ${near.join(" or ")}?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

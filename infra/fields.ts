import { z } from "zod";

/**
 * Field types of the stack file. Pulumi hands over numbers and booleans as text at the top level and
 * as themselves further down, so each type takes both spellings, exactly: `"08"` is no number.
 *
 * The metadata is what an editor sees: it becomes the field's JSON Schema.
 */

export function integer(min: number, max: number, description: string) {
  const error = `must be an integer from ${min} to ${max}`;
  return z
    .preprocess(fromText, z.int({ error }).min(min, { error }).max(max, { error }))
    .meta({ type: "integer", minimum: min, maximum: max, description });
}

/** One of a few numbers. */
export function count<const T extends readonly [number, ...number[]]>(
  values: T,
  description: string,
) {
  const error = `must be ${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return z
    .preprocess(fromText, z.literal(values, { error }))
    .meta({ type: "integer", enum: [...values], description });
}

export function number(min: number, max: number, description: string) {
  const error = `must be a number from ${min} to ${max}`;
  return z
    .preprocess(fromText, z.number({ error }).min(min, { error }).max(max, { error }))
    .meta({ type: "number", minimum: min, maximum: max, description });
}

export function flag(description: string) {
  return z
    .preprocess(
      (value) => (value === "true" ? true : value === "false" ? false : value),
      z.boolean({ error: "must be true or false" }),
    )
    .meta({ type: "boolean", description });
}

export function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  description: string,
) {
  return z
    .preprocess(asText, z.enum(values, { error: `must be ${values.join(" or ")}` }))
    .meta({ type: "string", enum: [...values], description });
}

/** @param what continues "must be", e.g. `a DigitalOcean region slug such as fra1`. */
export function text(pattern: RegExp, what: string, description: string) {
  const error = `must be ${what}`;
  return z.string({ error }).regex(pattern, { error }).meta({ description });
}

/** A value of an environment: what YAML reads as a number or boolean is passed on as text. */
export function environmentValue() {
  return z
    .preprocess(asText, z.string({ error: "must be text, a number, true or false" }))
    .meta({ type: ["string", "number", "boolean"] });
}

export function list<T extends z.ZodType>(item: T, description: string, minimum = 0) {
  const error = minimum === 0 ? "must be a list" : "must be a list with at least one entry";
  return z.array(item, { error }).min(minimum, { error }).meta({ description });
}

/** A mapping with fixed keys; others are faults. */
export function mapping<T extends z.core.$ZodLooseShape>(shape: T, description: string) {
  const error = (issue: { readonly code?: string }) =>
    issue.code === "unrecognized_keys"
      ? "is not a key that Archipelago knows"
      : `must be a mapping of ${Object.keys(shape).join(", ")}`;
  return z.strictObject(shape, { error }).meta({ description });
}

/** A mapping with names of the user's choice. */
export function named<T extends z.ZodType>(
  pattern: RegExp,
  what: string,
  value: T,
  description: string,
) {
  const key = z.string().regex(pattern, { error: `must be named with ${what}` });
  return z.record(key, value, { error: "must be a mapping from names" }).meta({ description });
}

function fromText(value: unknown): unknown {
  return typeof value === "string" && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value)
    ? Number(value)
    : value;
}

function asText(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

import { createHash, randomBytes } from "node:crypto";
import { isUnknown, type Field, type Fields } from "./schema";
import { isObject, items, members, texts, type Values } from "./values";

/** The inputs that the provider filled in, as pulumi-terraform-bridge records them. */
export const DEFAULTS = "__defaults";

export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface Autonaming {
  /** The last part of the resource's URN. */
  readonly name: string;
  /** Makes the name that a preview shows the one that the update gives. */
  readonly seed: Uint8Array;
  /** From the stack's `pulumi:autonaming` setting. */
  readonly proposal?: { readonly name: string; readonly mode: "propose" | "enforce" | "disable" };
}

export interface Checked {
  readonly inputs: Values;
  readonly failures: readonly CheckFailure[];
}

/** Characters that the official providers append to an automatic name. */
const RANDOM_LENGTH = 7;
/** Longest automatic name: `SetAutonaming(255, "-")` in both official providers. */
const MAX_NAME_LENGTH = 255;

/**
 * Fills in defaults and the automatic name, converts numbers given as text and the other way round (a
 * Droplet's ID is text in Pulumi, a number as `dropletId`), and lists what is missing or unknown.
 */
export function check(
  fields: Fields,
  olds: Values,
  news: Values,
  autonaming: Autonaming | undefined,
): Checked {
  const failures: CheckFailure[] = [];
  const given = { ...news };
  delete given[DEFAULTS];
  const defaulted: string[] = [];
  if (autonaming && (given.name === undefined || given.name === null)) {
    const name = automaticName(autonaming, olds);
    if (name !== undefined) {
      given.name = name;
      defaulted.push("name");
    }
  }
  const inputs = checkObject(fields, "", given, failures);
  if (autonaming && inputs.name === undefined) {
    failures.push({ property: "name", reason: missing("name") });
  }
  for (const name of Object.keys(inputs)) {
    if (given[name] === undefined || given[name] === null) {
      defaulted.push(name);
    }
  }
  return { inputs: { ...inputs, [DEFAULTS]: defaulted.sort() }, failures };
}

function automaticName({ name, seed, proposal }: Autonaming, olds: Values): string | undefined {
  if (texts(olds[DEFAULTS]).includes("name") && typeof olds.name === "string") {
    return olds.name;
  }
  if (proposal?.mode === "disable") {
    return undefined;
  }
  if (proposal?.name) {
    return proposal.name;
  }
  const random = seed.length > 0 ? createHash("sha256").update(seed).digest("hex") : randomHex();
  return `${name.slice(0, MAX_NAME_LENGTH - RANDOM_LENGTH - 1)}-${random.slice(0, RANDOM_LENGTH)}`;
}

const randomHex = (): string => randomBytes(RANDOM_LENGTH).toString("hex");

function checkObject(
  fields: Fields,
  prefix: string,
  given: Values,
  failures: CheckFailure[],
): Values {
  for (const name of Object.keys(given)) {
    if (!fields[name] && given[name] !== undefined && given[name] !== null) {
      failures.push({ property: prefix + name, reason: `there is no property "${prefix}${name}"` });
    }
  }
  const entries = Object.entries(fields).flatMap(([name, field]): [string, unknown][] => {
    const value = given[name] ?? defaultOf(field);
    if (value === undefined || value === null) {
      if (field.required) {
        failures.push({ property: prefix + name, reason: missing(prefix + name) });
      }
      return [];
    }
    return [[name, checkValue(field, prefix + name, value, failures)]];
  });
  return Object.fromEntries(entries);
}

function checkValue(field: Field, path: string, value: unknown, failures: CheckFailure[]): unknown {
  if (isUnknown(value)) {
    return value;
  }
  const wrong = (kind: string): unknown => {
    failures.push({
      property: path,
      reason: `${path} must be ${kind}, got ${JSON.stringify(value)}`,
    });
    return value;
  };
  switch (field.kind) {
    case "object":
      return isObject(value)
        ? checkObject(field.fields, `${path}.`, value, failures)
        : wrong("an object");
    case "list":
    case "set":
      return Array.isArray(value)
        ? items(value).map((item, index) =>
            checkValue(field.element, `${path}[${index}]`, item, failures),
          )
        : wrong("a list");
    case "map":
      return isObject(value)
        ? Object.fromEntries(
            Object.entries(members(value)).map(([key, item]) => [
              key,
              checkValue(field.element, `${path}.${key}`, item, failures),
            ]),
          )
        : wrong("a map");
    case "string":
      return typeof value === "string"
        ? value
        : typeof value === "number" || typeof value === "boolean"
          ? String(value)
          : wrong("text");
    case "number": {
      const converted = typeof value === "string" && value !== "" ? Number(value) : value;
      return typeof converted === "number" && !Number.isNaN(converted)
        ? converted
        : wrong("a number");
    }
    case "boolean":
      return typeof value === "boolean"
        ? value
        : value === "true" || value === "false"
          ? value === "true"
          : wrong("true or false");
  }
}

function defaultOf(field: Field): unknown {
  return typeof field.default === "function" ? field.default() : field.default;
}

function missing(path: string): string {
  return `Missing required property "${path}"`;
}

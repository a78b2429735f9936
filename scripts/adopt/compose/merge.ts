/** How a compose file overrides the one before: https://docs.docker.com/reference/compose-file/merge/ */
import { isMapping, listOf, type Mapping, textOf, variablesOf } from "./values";

/** What `!reset` leaves: the value of the file before goes. */
export const RESET = Symbol("reset");

/** What `!override` leaves: this value alone counts. */
export class Override {
  constructor(readonly value: unknown) {}
}

/** Commands are one value, although they are lists. */
const ONE_VALUE = /^services\/[^/]+\/(command|entrypoint|healthcheck\/test)$/;

/** Lists of `NAME=value`, or mappings. */
const VARIABLES =
  /^services\/[^/]+\/(environment|labels|annotations|extra_hosts|sysctls|build\/(args|labels)|deploy\/labels)$/;

/** Lists of names, or mappings by name. */
const NAMES = /^services\/[^/]+\/(depends_on|networks)$/;

/** Lists whose entries replace those with the same key. */
const UNIQUE: readonly (readonly [path: RegExp, keyOf: (entry: unknown) => string])[] = [
  [/^services\/[^/]+\/volumes$/, mountTarget],
  [/^services\/[^/]+\/(secrets|configs)$/, fileTarget],
  [/^services\/[^/]+\/(ports|expose|env_file|dns|profiles)$/, (entry) => JSON.stringify(entry)],
];

export function mergeFiles(files: readonly Mapping[]): Mapping {
  return files.reduce<Mapping>((base, next) => merge(base, next, "") as Mapping, {});
}

/** One service over another, as `extends` does. */
export function mergeService(base: Mapping, over: Mapping): Mapping {
  return merge(base, over, "services/x") as Mapping;
}

function merge(base: unknown, over: unknown, path: string): unknown {
  // A mark that found nothing to work on is kept: it may be meant for a file further out.
  if (base === RESET || base === undefined || base === null) return over ?? base;
  if (base instanceof Override) return merge(base.value, over, path);
  if (over === RESET) return undefined;
  if (over instanceof Override) return over.value;
  if (over === undefined || over === null) return base;
  if (ONE_VALUE.test(path)) return over;
  if (VARIABLES.test(path)) return mergeVariables(base, over);
  if (NAMES.test(path)) return { ...byName(base), ...byName(over) };
  const keyOf = UNIQUE.find(([pattern]) => pattern.test(path))?.[1];
  if (keyOf) {
    const entries = [...listOf(base), ...listOf(over)];
    return [...new Map(entries.map((entry) => [keyOf(entry), entry])).values()];
  }
  if (isMapping(base) && isMapping(over)) {
    const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
    const below = (key: string) => (path === "" ? key : `${path}/${key}`);
    const merged = [...keys].map((key) => [key, merge(base[key], over[key], below(key))] as const);
    return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
  }
  if (Array.isArray(base) && Array.isArray(over)) {
    return [...(base as unknown[]), ...(over as unknown[])];
  }
  return over;
}

function mergeVariables(base: unknown, over: unknown): Mapping {
  const merged = { ...variablesOf(base), ...variablesOf(over) };
  const isReset = (name: string) => isMapping(over) && over[name] === RESET;
  return Object.fromEntries(Object.entries(merged).filter(([name]) => !isReset(name)));
}

/** A value without the marks that found nothing to work on. */
export function settled(value: unknown): unknown {
  if (value === RESET) return undefined;
  if (value instanceof Override) return settled(value.value);
  if (Array.isArray(value)) return value.map(settled).filter((one) => one !== undefined);
  if (!isMapping(value)) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, settled(one)] as const);
  return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
}

export function byName(value: unknown): Record<string, unknown> {
  if (isMapping(value)) return { ...value };
  return Object.fromEntries(listOf(value).map((name) => [textOf(name) ?? "", {}]));
}

function mountTarget(entry: unknown): string {
  if (isMapping(entry)) return textOf(entry.target) ?? "";
  const [first = "", second] = (textOf(entry) ?? "").split(":");
  return second ?? first;
}

function fileTarget(entry: unknown): string {
  if (!isMapping(entry)) return textOf(entry) ?? "";
  return textOf(entry.target) ?? textOf(entry.source) ?? "";
}

import { isUnknown, stored, type Collection, type Field, type Fields } from "./schema";
import { hasUnknown, isObject, isZero, items, members, type Values } from "./values";

/** One property that differs between the stored state and what the program asks for. */
export interface Change {
  /** Pulumi's property path: `taskSpec.containerSpec.env.A`, `inboundRules[0]`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  readonly replace: boolean;
}

/**
 * Compares stored state with the program's inputs the way Terraform's plan does: sets by content, absent
 * optional values as their zero value, absent computed values as unchanged.
 *
 * @param ignore property paths of the `ignoreChanges` option; `[*]` matches any index or key
 */
export function diff(
  fields: Fields,
  olds: Values,
  news: Values,
  ignore: readonly string[] = [],
): Change[] {
  const ignored = ignore.map(pathPattern);
  return Object.entries(fields)
    .flatMap(([name, field]) => compare(field, name, olds[name], news[name], olds))
    .filter(({ path }) => !ignored.some((pattern) => pattern.test(path)));
}

/** The first property of a path: what the engine lists as reason of a replacement. */
export function rootOf(path: string): string {
  return path.split(/[.[]/, 1)[0] ?? path;
}

function pathPattern(path: string): RegExp {
  const escaped = path
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\\\[\\\*\\\]/g, "\\[[^\\]]+\\]");
  return new RegExp(`^${escaped}($|[.[])`);
}

function compare(field: Field, path: string, old: unknown, given: unknown, olds: Values): Change[] {
  const replace = field.replace === true;
  if (field.readOnly) {
    return [];
  }
  if (isUnknown(given)) {
    return [{ path, kind: isZero(old) ? "add" : "update", replace }];
  }
  if ((given === undefined || given === null) && field.computed) {
    return [];
  }
  if ((isZero(old) && isZero(given)) || field.same?.(old, stored(field, given), olds)) {
    return [];
  }
  switch (field.kind) {
    case "object":
      return compareObjects(field, path, old, given, olds);
    case "map":
      return compareMaps(field, path, members(old), members(given), olds);
    case "list":
      return compareLists(field, path, items(old), items(given), olds);
    case "set":
      return compareSets(field, path, items(old), items(given));
    case "string":
    case "number":
    case "boolean":
      return compareScalars(field, path, old, given);
  }
}

function compareScalars(field: Field, path: string, old: unknown, given: unknown): Change[] {
  const wanted = stored(field, given);
  if (old === wanted) {
    return [];
  }
  const replace = field.replace === true || field.replaceWhen?.(old, wanted) === true;
  return [{ path, kind: kindOf(old, wanted), replace }];
}

function compareObjects(
  field: Field & { kind: "object" },
  path: string,
  old: unknown,
  given: unknown,
  olds: Values,
): Change[] {
  if (!isObject(old) || !isObject(given)) {
    const present = isObject(given) ? given : old;
    const replace = field.replace === true || replacesAny(field, present);
    return [{ path, kind: kindOf(old, given), replace }];
  }
  return Object.entries(field.fields).flatMap(([name, inner]) =>
    compare(inner, `${path}.${name}`, members(old)[name], members(given)[name], olds),
  );
}

function compareMaps(
  field: Collection,
  path: string,
  old: Values,
  given: Values,
  olds: Values,
): Change[] {
  const keys = [...new Set([...Object.keys(old), ...Object.keys(given)])];
  return keys.flatMap((key) =>
    // A key with an empty value is not the same as no key.
    old[key] === given[key]
      ? []
      : compare(inherit(field), path + keyPath(key), old[key] ?? null, given[key] ?? null, olds),
  );
}

function compareLists(
  field: Collection,
  path: string,
  old: unknown[],
  given: unknown[],
  olds: Values,
): Change[] {
  return Array.from({ length: Math.max(old.length, given.length) }).flatMap((_, index) => {
    const at = `${path}[${index}]`;
    if (index < old.length && index < given.length) {
      return compare(inherit(field), at, old[index], given[index], olds);
    }
    const present = index < given.length ? given[index] : old[index];
    const replace = field.replace === true || replacesAny(field.element, present);
    return [{ path: at, kind: index < given.length ? "add" : "delete", replace }];
  });
}

function compareSets(field: Collection, path: string, old: unknown[], given: unknown[]): Change[] {
  const replaces = (value: unknown): boolean =>
    field.replace === true || replacesAny(field.element, value);
  const oldKeys = new Set(old.map((value) => canonical(field.element, value)));
  const newKeys = new Set(given.map((value) => canonical(field.element, value)));
  const added = given.flatMap((value, index): Change[] =>
    oldKeys.has(canonical(field.element, value)) && !hasUnknown(value)
      ? []
      : [{ path: `${path}[${index}]`, kind: "add", replace: replaces(value) }],
  );
  const removed = old.flatMap((value, index): Change[] =>
    newKeys.has(canonical(field.element, value))
      ? []
      : [{ path: `${path}[${index}]`, kind: "delete", replace: replaces(value) }],
  );
  const addedPaths = new Set(added.map((change) => change.path));
  const updated = removed.filter((change) => addedPaths.has(change.path));
  return [
    ...added.map((change): Change => {
      const other = updated.find(({ path: at }) => at === change.path);
      return other
        ? { ...change, kind: "update", replace: change.replace || other.replace }
        : change;
    }),
    ...removed.filter((change) => !addedPaths.has(change.path)),
  ];
}

/** Elements of a scalar collection replace when the collection does (Terraform's ForceNew). */
function inherit(field: Collection): Field {
  const { element } = field;
  return element.kind === "object"
    ? element
    : { ...element, replace: element.replace ?? field.replace };
}

/** Whether adding or removing this value touches a property that replaces. */
function replacesAny(field: Field, value: unknown): boolean {
  if (isZero(value)) {
    return false;
  }
  if (field.kind === "object") {
    return (
      isObject(value) &&
      Object.entries(field.fields).some(
        ([name, inner]) =>
          !isZero(value[name]) && (inner.replace === true || replacesAny(inner, value[name])),
      )
    );
  }
  if (field.kind === "list" || field.kind === "set") {
    return items(value).some(
      (item) => field.element.replace === true || replacesAny(field.element, item),
    );
  }
  return field.replace === true;
}

/** A text that is equal for values that Terraform's set hashing holds equal. */
export function canonical(field: Field, value: unknown): string {
  return JSON.stringify(canonicalValue(field, value)) ?? "null";
}

function canonicalValue(field: Field, value: unknown): unknown {
  if (isUnknown(value)) {
    return "\u0000unknown";
  }
  if (isZero(value)) {
    return null;
  }
  switch (field.kind) {
    case "object": {
      const telling = field.identity?.(members(value)) ?? members(value);
      return Object.entries(field.fields)
        .filter(([, inner]) => !inner.readOnly)
        .map(([name, inner]) => [name, canonicalValue(inner, telling[name])])
        .filter(([, inner]) => inner !== null);
    }
    case "set":
      return items(value)
        .map((item) => canonical(field.element, item))
        .sort();
    case "list":
      return items(value).map((item) => canonicalValue(field.element, item));
    case "map":
      return Object.entries(members(value)).sort(([a], [b]) => (a < b ? -1 : 1));
    case "string":
    case "number":
    case "boolean":
      return stored(field, value);
  }
}

function kindOf(old: unknown, given: unknown): Change["kind"] {
  if (isZero(old)) {
    return "add";
  }
  return given === undefined || given === null ? "delete" : "update";
}

function keyPath(key: string): string {
  return /^[A-Za-z_][\w]*$/.test(key) ? `.${key}` : `["${key.replace(/"/g, '\\"')}"]`;
}

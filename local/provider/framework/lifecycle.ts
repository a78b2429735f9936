import { DEFAULTS } from "./check";
import { diff, rootOf, type Change } from "./diff";
import type { ResourceType } from "./provider";
import { stored, string, type Fields } from "./schema";
import {
  isObject,
  isZero,
  mapObject,
  members,
  Secret,
  texts,
  UNKNOWN,
  type Values,
} from "./values";

/** What a preview can tell of a resource that does not exist yet. */
export function plannedState(type: ResourceType<never>, inputs: Values): Values {
  const unknown = [
    ...type.outputs,
    ...Object.keys(type.inputs).filter((name) => type.inputs[name]?.computed),
  ];
  return {
    ...Object.fromEntries(unknown.map((name) => [name, UNKNOWN])),
    ...storedInputs(type.inputs, inputs),
  };
}

/** State after a creation or update: what was read, over what the program said, over what was known. */
export function mergedState(
  type: ResourceType<never>,
  inputs: Values,
  read: Values,
  olds: Values = {},
): Values {
  // An input that the program no longer sets must not survive from the old state.
  const kept = Object.fromEntries(
    Object.entries(olds).filter(([name]) => !type.inputs[name] || type.inputs[name].computed),
  );
  const state = { ...kept, ...storedInputs(type.inputs, inputs), ...read };
  delete state[DEFAULTS];
  return sealed(
    { ...type.inputs, ...secretFields(type) },
    mapObject(state, (value) => value ?? null),
  );
}

const secretFields = ({ secretOutputs = [] }: ResourceType<never>): Fields =>
  Object.fromEntries(secretOutputs.map((name) => [name, string({ secret: true })]));

/** Inputs as they are kept in state. */
function storedInputs(fields: Fields, inputs: Values): Values {
  const { [DEFAULTS]: _, ...rest } = inputs;
  return mapObject(rest, (value, name) => (fields[name] ? stored(fields[name], value) : value));
}

/** Marks what the schema calls secret. */
function sealed(fields: Fields, values: Values): Values {
  return mapObject(values, (value, name) => {
    const field = fields[name];
    if (field?.secret && !isZero(value)) {
      return new Secret(value);
    }
    return field?.kind === "object" && isObject(value) ? sealed(field.fields, value) : value;
  });
}

/**
 * Inputs after a read: the program's as long as they agree with reality, else reality; for an import
 * everything that is set.
 */
export function readInputs(fields: Fields, inputs: Values | undefined, state: Values): Values {
  if (!inputs || Object.keys(inputs).length === 0) {
    const found = mapObject(fields, (_, name) => state[name] ?? undefined);
    return Object.fromEntries([
      ...Object.entries(found).filter(([, value]) => !isZero(value)),
      [DEFAULTS, []],
    ]);
  }
  const drifted = new Set(diff(fields, state, inputs).map(({ path }) => rootOf(path)));
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) =>
      !drifted.has(name) ? [[name, value]] : isZero(state[name]) ? [] : [[name, state[name]]],
    ),
  );
}

/**
 * Whether the old one must go first: the official providers' rule is that a name the user chose could
 * clash, while an automatic one cannot (pulumi-terraform-bridge `nameRequiresDeleteBeforeReplace`).
 */
export function deletesBeforeReplace(type: ResourceType<never>, news: Values): boolean {
  return (
    type.autoname === true &&
    news.name !== undefined &&
    Array.isArray(news[DEFAULTS]) &&
    !texts(news[DEFAULTS]).includes("name")
  );
}

/** Gives the properties under `ignoreChanges` their stored value, so that an update keeps them. */
export function withIgnored(news: Values, olds: Values, ignore: readonly string[]): Values {
  return ignore.reduce((values, path) => keepOld(values, olds, path.split(".")), news);
}

function keepOld(news: Values, olds: Values, [head = "", ...rest]: string[]): Values {
  if (head.includes("[") || (rest.length > 0 && !isObject(olds[head]))) {
    return news;
  }
  const value =
    rest.length === 0 ? olds[head] : keepOld(members(news[head]), members(olds[head]), rest);
  return { ...news, [head]: value };
}

/** See {@link Update.planned}. */
export function planned(fields: Fields, olds: Values, news: Values): Values {
  const open = Object.keys(fields).filter(
    (name) => fields[name]?.computed && (news[name] === undefined || news[name] === null),
  );
  return { ...news, ...Object.fromEntries(open.map((name) => [name, olds[name]])) };
}

/** The comparison that {@link Update.changed} answers from. */
export function changedProperties(changes: readonly Change[]): ReadonlySet<string> {
  return new Set(changes.map(({ path }) => rootOf(path)));
}

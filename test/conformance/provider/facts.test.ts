import * as fs from "node:fs";
import * as path from "node:path";
import { digitalocean } from "../../../local/provider/digitalocean/provider";
import { docker } from "../../../local/provider/docker/provider";
import { diff } from "../../../local/provider/framework/diff";
import type { ProviderType, ResourceType } from "../../../local/provider/framework/provider";
import type { Field, Fields } from "../../../local/provider/framework/schema";

/** What the official providers' schemas say of a property. */
interface PropertyFact {
  readonly type: FactType;
  readonly required?: boolean;
  readonly replaceOnChange?: boolean;
  /** The same, said of some nested properties. */
  readonly replace?: boolean;
  readonly secret?: boolean;
}
interface OutputFact extends PropertyFact {
  /** The provider fills it in when the program does not. */
  readonly always?: boolean;
}
type FactType =
  | string
  | { readonly array: FactType }
  | { readonly map: FactType }
  | { readonly object: Readonly<Record<string, PropertyFact>> };

interface Facts {
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly inputs: Readonly<Record<string, PropertyFact>>;
        readonly outputs: Readonly<Record<string, OutputFact>>;
      }
    >
  >;
  readonly functions?: Readonly<Record<string, unknown>>;
}

const reference = path.resolve(__dirname, "../../../../shared/reference");

function factsOf(provider: string): Facts | undefined {
  const file = path.join(reference, `${provider}-provider-facts.json`);
  if (!fs.existsSync(file)) {
    console.log(`skipped: no facts of the official provider at ../shared/reference (${provider})`);
    return undefined;
  }
  return JSON.parse(fs.readFileSync(file, "utf8")) as Facts;
}

/** Two different values of a field, as small as they come. */
function sample(field: Field, variant: 1 | 2): unknown {
  switch (field.kind) {
    case "string":
      return `value-${variant}`;
    case "number":
      return variant;
    case "boolean":
      // From true to false is the change that replaces where only one direction does.
      return variant === 1;
    case "list":
    case "set":
      return [sample(field.element, variant)];
    case "map":
      return { key: sample(field.element, variant) };
    case "object":
      return Object.fromEntries(
        Object.entries(field.fields).map(([name, inner]) => [name, sample(inner, variant)]),
      );
  }
}

interface Case {
  readonly path: string;
  readonly olds: Record<string, unknown>;
  readonly news: Record<string, unknown>;
  readonly replaces: boolean;
}

/** Every single-leaf change below a property, and whether the facts say that it replaces. */
function changesOf(name: string, field: Field, fact: PropertyFact): Case[] {
  const nested = objectFact(fact.type);
  const element = field.kind === "list" || field.kind === "set" ? field.element : undefined;
  const fields =
    field.kind === "object"
      ? field.fields
      : element?.kind === "object"
        ? element.fields
        : undefined;
  if (!fields || !nested) {
    const [olds, news] = [{ [name]: sample(field, 1) }, { [name]: sample(field, 2) }];
    return [{ path: name, olds, news, replaces: fact.replaceOnChange ?? fact.replace ?? false }];
  }
  return Object.entries(nested).flatMap(([inner, innerFact]) => {
    const innerField = fields[inner];
    if (!innerField) {
      return [{ path: `${name}.${inner}`, olds: {}, news: {}, replaces: true }];
    }
    if (innerField.readOnly) {
      return [];
    }
    return changesOf(inner, innerField, innerFact).map((one) => {
      const wrap = (value: unknown): Record<string, unknown> => ({
        [name]: element ? [value] : value,
      });
      // Adding an element to a collection that replaces does so whatever is in it; a leaf changes in a list
      // or object on its own.
      const replaces = one.replaces || (field.kind === "set" && fact.replaceOnChange === true);
      return { path: `${name}.${one.path}`, olds: wrap(one.olds), news: wrap(one.news), replaces };
    });
  });
}

function objectFact(type: FactType): Readonly<Record<string, PropertyFact>> | undefined {
  if (typeof type === "string") {
    return undefined;
  }
  return "object" in type ? type.object : "array" in type ? objectFact(type.array) : undefined;
}

/** Paths of input properties in the facts that the table lacks, and the other way round. */
function mismatches(
  prefix: string,
  fields: Fields,
  facts: Readonly<Record<string, PropertyFact>>,
): string[] {
  const missing = Object.keys(facts).filter((name) => !fields[name]);
  const extra = Object.keys(fields).filter((name) => !facts[name]);
  const deeper = Object.entries(facts).flatMap(([name, fact]) => {
    const field = fields[name];
    const nested = objectFact(fact.type);
    const inner = field && "element" in field ? field.element : field;
    return nested && inner?.kind === "object"
      ? mismatches(`${prefix}${name}.`, inner.fields, nested)
      : [];
  });
  return [
    ...missing.map((name) => `missing ${prefix}${name}`),
    ...extra.map((name) => `extra ${prefix}${name}`),
    ...deeper,
  ];
}

/** Where the facts say no more than "sometimes", and the provider's source says when. */
const SOMETIMES = new Set([
  // true → false replaces, false → true does not (FACTS 1).
  "digitalocean:index/droplet:Droplet ipv6",
]);

describe.each<[ProviderType<never>]>([
  [digitalocean as unknown as ProviderType<never>],
  [docker as unknown as ProviderType<never>],
])("the stand-in for $name", (provider) => {
  const facts = factsOf(provider.name);
  if (!facts) {
    test.skip("agrees with the official provider's facts", () => undefined);
    return;
  }
  const types = Object.entries(provider.resources).map(
    ([token, type]): [string, ResourceType<never>] => [token, type],
  );

  describe.each(types)("%s", (token, type) => {
    const fact = facts.resources[token];
    if (!fact) {
      throw new Error(`the facts know no ${token}`);
    }

    test("has exactly the official inputs, so that no argument is refused or ignored", () => {
      expect(mismatches("", type.inputs, fact.inputs)).toEqual([]);
    });

    test("has exactly the official outputs, so that none is undefined in a program", () => {
      const ours = [...new Set([...Object.keys(type.inputs), ...type.outputs])].sort();
      const theirs = [...new Set([...Object.keys(fact.inputs), ...Object.keys(fact.outputs)])];
      expect(ours).toEqual(theirs.sort());
    });

    test("requires what is officially required, and names itself where it may", () => {
      const required = Object.keys(fact.inputs).filter((name) => fact.inputs[name]?.required);
      expect(
        Object.keys(type.inputs)
          .filter((name) => type.inputs[name]?.required)
          .sort(),
      ).toEqual(required.sort());
      const { name } = fact.inputs;
      expect(type.autoname ?? false).toBe(name !== undefined && name.required !== true);
    });

    test("keeps secret what is officially secret", () => {
      const secret = Object.keys(fact.inputs).filter((name) => fact.inputs[name]?.secret);
      expect(Object.keys(type.inputs).filter((name) => type.inputs[name]?.secret)).toEqual(secret);
      const outputs = Object.keys(fact.outputs).filter(
        (name) => fact.outputs[name]?.secret && !fact.inputs[name],
      );
      expect([...(type.secretOutputs ?? [])].sort()).toEqual(outputs.sort());
    });

    test("shows no change where the official provider fills in what the program leaves out", () => {
      const filled = Object.keys(fact.inputs).filter(
        (name) => name !== "name" && !fact.inputs[name]?.required && fact.outputs[name]?.always,
      );
      const computed = Object.keys(type.inputs).filter((name) => type.inputs[name]?.computed);
      expect(computed.sort()).toEqual(filled.sort());
    });

    const cases = Object.entries(fact.inputs).flatMap(([name, property]) => {
      const field = type.inputs[name];
      return field ? changesOf(name, field, property) : [];
    });
    test.each(cases)("a changed $path replaces only where it officially does", (one) => {
      const changes = diff(type.inputs, one.olds, one.news);
      expect(changes.length).toBeGreaterThan(0);
      if (!SOMETIMES.has(`${token} ${one.path}`)) {
        expect(changes.some(({ replace }) => replace)).toBe(one.replaces);
      }
    });
  });

  test("offers only functions that exist officially", () => {
    const official = Object.keys(facts.functions ?? {});
    expect(Object.keys(provider.functions).filter((token) => !official.includes(token))).toEqual(
      [],
    );
  });
});

/** The generated part of docs/configuration.md: every key of a stack file, from its JSON Schema. */

/** What the reference reads of a JSON Schema. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

export const BEGIN =
  "<!-- Generated from infra/config.ts: UPDATE_DOCS=1 npx jest test/unit/docs -->";
export const END = "<!-- End of the generated part -->";

/** @returns one section for each key below `config`, its parts as nested lists. */
export function configurationReference(file: Schema): string {
  const config = file.properties?.config ?? {};
  const own = Object.entries(config.properties ?? {});
  return own
    .map(([key, schema]) => {
      const facts = factsOf(schema, config.required?.includes(key) ?? false);
      const lines = [`## \`${key}\``, "", `${sentence(schema)} (${facts})`];
      const parts = partsOf(schema, 0);
      return [...lines, ...(parts.length > 0 ? ["", ...parts] : []), ""].join("\n");
    })
    .join("\n");
}

/** @returns the page with its generated part replaced. @throws {Error} when the markers are missing. */
export function replaceReference(page: string, reference: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page must contain "${BEGIN}" and "${END}"`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${reference}\n${page.slice(end)}`;
}

function partsOf(schema: Schema, depth: number): string[] {
  const indent = "  ".repeat(depth);
  const { properties, additionalProperties: named } = schema;
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([key, part]) => [
      `${indent}- \`${key}\`: ${sentence(part)} (${factsOf(part, isRequired(schema, key, part))})`,
      ...partsOf(part, depth + 1),
    ]);
  }
  if (typeof named !== "object" || named.properties === undefined) return [];
  return [`${indent}- _a name of your choice_: ${sentence(named)}`, ...partsOf(named, depth + 1)];
}

function isRequired(schema: Schema, key: string, part: Schema): boolean {
  return (schema.required?.includes(key) ?? false) && part.default === undefined;
}

function factsOf(schema: Schema, required: boolean): string {
  const { default: fallback, minimum, maximum } = schema;
  const range = minimum === undefined ? "" : ` from ${minimum} to ${maximum ?? "any"}`;
  return [
    required ? "required" : "",
    `${kindOf(schema)}${range}`,
    isWorthShowing(fallback) ? `default \`${show(fallback)}\`` : "",
  ]
    .filter((fact) => fact !== "")
    .join("; ");
}

function kindOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(" or ");
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? ["any"]);
  return types.map((type) => KINDS[type] ?? type).join(" or ");
}

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  integer: "integer",
  number: "number",
  boolean: "true or false",
  array: "list",
  object: "mapping",
};

/** Empty lists and mappings are what "not given" means anyway. */
function isWorthShowing(value: unknown): boolean {
  if (value === undefined) return false;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}

/** As it reads in a stack file. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value).map(([key, part]) => `${key}: ${show(part)}`);
    return `{ ${pairs.join(", ")} }`;
  }
  return String(value);
}

/** Markdown would take `<name>` for a tag. */
function sentence({ description = "" }: Schema): string {
  return description.replace(/[\w/.]*<\w+>/g, (text) => `\`${text}\``);
}

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

/** DigitalOcean's own description of its API, which lies beside the checkout and not in it. */
const location = resolve(__dirname, "../../../../shared/reference/digitalocean-openapi.json");

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

export const available = existsSync(location);

/** OpenAPI 3.0's `nullable` in the words of JSON Schema. */
function toJsonSchema(node: Json): Json {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (node === null || typeof node !== "object") return node;
  const copy: JsonObject = {};
  for (const [key, value] of Object.entries(node))
    if (key !== "example" && key !== "examples") copy[key] = toJsonSchema(value);
  if (copy["nullable"] !== true) return copy;
  delete copy["nullable"];
  if (Array.isArray(copy["enum"])) copy["enum"] = [...copy["enum"], null];
  return { anyOf: [{ type: "null" }, copy] };
}

const encode = (part: string) => part.replace(/~/g, "~0").replace(/\//g, "~1");

/** Validates answers by the description, and remembers which operations were seen. */
export class Description {
  private readonly document: JsonObject;
  private readonly ajv = new Ajv({
    strict: false,
    validateSchema: false,
    allErrors: true,
    unicodeRegExp: false,
  });
  private readonly validators = new Map<string, ValidateFunction>();
  /** `get /v2/droplets 200` */
  readonly seen = new Set<string>();

  constructor() {
    this.document = toJsonSchema(JSON.parse(readFileSync(location, "utf8")) as Json) as JsonObject;
    addFormats(this.ajv);
    // The description calls this a format.
    this.ajv.addFormat("string", true);
    this.ajv.addSchema(this.document, "spec");
  }

  private at(pointer: string): JsonObject | undefined {
    return pointer
      .split("/")
      .slice(1)
      .map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"))
      .reduce<Json | undefined>(
        (node, part) => (node as JsonObject | undefined)?.[part],
        this.document,
      ) as JsonObject | undefined;
  }

  get paths(): readonly string[] {
    return Object.keys(this.document["paths"] as JsonObject);
  }

  methods(path: string): string[] {
    const item = this.at(`/paths/${encode(path)}`) ?? {};
    return ["get", "post", "put", "patch", "delete"].filter((method) => method in item);
  }

  /** The template that a path is of, literal parts before parameters. */
  template(url: string): string | undefined {
    const parts = (url.split("?")[0] ?? "").split("/");
    const matches = this.paths.filter((path) => {
      const wanted = path.split("/");
      return (
        wanted.length === parts.length &&
        wanted.every((part, index) => part.startsWith("{") || part === parts[index])
      );
    });
    const parameters = (path: string) => path.split("{").length;
    return matches.sort((a, b) => parameters(a) - parameters(b))[0];
  }

  /** @returns what is wrong with an answer; nothing when it is as described. */
  faults(method: string, url: string, status: number, body: unknown): string[] {
    const path = this.template(url);
    if (!path) return [`${url} is not described`];
    this.seen.add(`${method.toLowerCase()} ${path} ${status}`);
    const responses = `/paths/${encode(path)}/${method.toLowerCase()}/responses`;
    const pointer = [String(status), "default"]
      .map((code) => `${responses}/${code}`)
      .find((each) => this.at(each));
    if (!pointer) return [`${method} ${path} is not described`];
    const reference = this.at(pointer)?.["$ref"];
    const base = typeof reference === "string" ? reference.slice(1) : pointer;
    const content = this.at(base)?.["content"] as JsonObject | undefined;
    if (!content)
      return body === undefined ? [] : [`${method} ${path} ${status}: no body expected`];
    const schema = `spec#${base}/content/${encode("application/json")}/schema`;
    const validate = this.validators.get(schema) ?? this.ajv.compile({ $ref: schema });
    this.validators.set(schema, validate);
    if (validate(body)) return [];
    return (validate.errors ?? []).map(
      (error) => `${method} ${path} ${status}: ${error.instancePath} ${error.message}`,
    );
  }
}

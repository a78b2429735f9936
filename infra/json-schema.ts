import { z } from "zod";
import { stackSchema } from "./config";
import { PREFIX } from "./parse";

interface Json {
  readonly properties: Record<string, unknown>;
  readonly required?: readonly string[];
}

/**
 * JSON Schema of a stack file, for editors: `stacks/schema.json`, kept current by a test
 * (`UPDATE_SCHEMA=1 npx jest test/unit/config/json-schema` rewrites it). Keys of providers stay open.
 */
export function jsonSchema(): object {
  const own = z.toJSONSchema(stackSchema, {
    io: "input",
    target: "draft-7",
    // Zod forgets the default of a preprocessed field.
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type === "default") jsonSchema.default = def.defaultValue;
    },
  }) as unknown as Json;
  const keys = Object.keys(own.properties);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Archipelago stack file",
    type: "object",
    required: ["config"],
    properties: {
      config: {
        type: "object",
        // The stack's name gives the topology.
        required: (own.required ?? [])
          .filter((key) => key !== "topology")
          .map((key) => PREFIX + key),
        propertyNames: {
          anyOf: [{ enum: keys.map((key) => PREFIX + key) }, { not: { pattern: `^${PREFIX}` } }],
        },
        properties: Object.fromEntries(
          Object.entries(own.properties).map(([key, value]) => [PREFIX + key, value]),
        ),
      },
    },
  };
}

import * as fs from "node:fs";
import * as path from "node:path";
import { jsonSchema } from "../../../infra/json-schema";
import { configurationReference, replaceReference } from "./configuration-page";

const file = path.resolve(__dirname, "../../../docs/configuration.md");

test("the reference lists what a stack file may say today: docs/configuration.md is current", () => {
  const page = fs.readFileSync(file, "utf8");
  const current = replaceReference(page, configurationReference(jsonSchema()));
  if (process.env.UPDATE_DOCS === "1") fs.writeFileSync(file, current);
  expect(fs.readFileSync(file, "utf8")).toBe(current);
});

test("kind, range, default, choices and nesting of a key are shown", () => {
  const reference = configurationReference({
    properties: {
      config: {
        required: ["a:size"],
        properties: {
          "a:size": { type: "string", description: "Size." },
          "a:parts": {
            type: "object",
            description: "Parts.",
            additionalProperties: {
              description: "A part, at /run/<name>.",
              properties: {
                count: {
                  type: "integer",
                  minimum: 1,
                  maximum: 9,
                  default: 2,
                  description: "How many.",
                },
                how: { type: "string", enum: ["up", "down"], description: "Which way." },
              },
            },
          },
        },
      },
    },
  });
  expect(reference).toBe(
    [
      "## `a:size`",
      "",
      "Size. (required; text)",
      "",
      "## `a:parts`",
      "",
      "Parts. (mapping)",
      "",
      "- _a name of your choice_: A part, at `/run/<name>`.",
      "  - `count`: How many. (integer from 1 to 9; default `2`)",
      "  - `how`: Which way. (`up` or `down`)",
      "",
    ].join("\n"),
  );
});

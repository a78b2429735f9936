import * as fs from "node:fs";
import * as path from "node:path";
import Ajv from "ajv";
import { parse } from "yaml";
import { jsonSchema } from "../../../infra/json-schema";

const root = path.resolve(__dirname, "../../..");
const file = path.join(root, "stacks/schema.json");
const current = `${JSON.stringify(jsonSchema(), undefined, 2)}\n`;
const validate = new Ajv({ strict: false }).compile(jsonSchema());
const stackFiles = fs
  .readdirSync(path.join(root, "stacks"))
  .filter((name) => /^Pulumi\..+\.yaml$/.test(name));

test("editors complete what the program accepts: stacks/schema.json is current", () => {
  if (process.env.UPDATE_SCHEMA === "1") fs.writeFileSync(file, current);
  expect(fs.readFileSync(file, "utf8")).toBe(current);
});

test.each(stackFiles)(
  "%s is valid, names the schema and has under ten lines of settings",
  (name) => {
    const text = fs.readFileSync(path.join(root, "stacks", name), "utf8");
    expect(validate(parse(text))).toBe(true);
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/schema\.json$/m);
  },
);

test.each([
  ["an unknown key", { "archipelago:colour": "red" }],
  ["a port of 0", { "archipelago:services": { web: { port: 0 } } }],
  ["an unknown key of a service", { "archipelago:services": { web: { prot: 1 } } }],
])("an editor marks %s", (_name, given) => {
  expect(
    validate({ config: { "archipelago:region": "fra1", "archipelago:services": {}, ...given } }),
  ).toBe(false);
});

test("an editor leaves other namespaces and encrypted values alone", () => {
  const services = { web: { image: "a", secrets: { KEY: { secure: "AAAB" } } } };
  const config = {
    "archipelago:region": "fra1",
    "archipelago:services": services,
    "digitalocean:token": "x",
  };
  expect(validate({ config, encryptionsalt: "v1:x" })).toBe(true);
});

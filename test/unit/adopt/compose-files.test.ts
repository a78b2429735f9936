/** What the Compose Specification says of reading files. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseEnvFile } from "../../../scripts/adopt/compose/env-file";
import { interpolate } from "../../../scripts/adopt/compose/interpolate";
import { loadProject } from "../../../scripts/adopt/compose/load";
import { looksSecret } from "../../../scripts/adopt/compose/secrets";
import { mibOf, secondsOf, wordsOf } from "../../../scripts/adopt/compose/values";

const env: Record<string, string> = { SET: "value", EMPTY: "" };
const expand = (text: string) =>
  interpolate(
    text,
    (name) => env[name],
    () => undefined,
  );

test.each([
  ["$SET and ${SET}", "value and value"],
  ["${EMPTY:-default}${EMPTY-no}", "default"],
  ["${NONE:-${ALSO:-${SET}}}", "value"],
  ["${SET:+there}${NONE:+no}${EMPTY+there}", "therethere"],
  ["$$SET $${SET}", "$SET ${SET}"],
  ["${NONE:-http://[::1]:80/}x", "http://[::1]:80/x"],
])("%s is %s", (text, value) => {
  expect(expand(text)).toBe(value);
});

test.each([
  ["${NONE:?set it}", "NONE is required: set it"],
  ["${SET", "without its }"],
  ["${SET/a/b}", "not of Compose's forms"],
])("%s is refused", (text, message) => {
  expect(() => expand(text)).toThrow(message);
});

test("an env file has comments, quotes, exports, several lines and variables", () => {
  const text = [
    "# comment",
    "export A=1 # one",
    "B='as $A is' # two",
    'C="${A}\\n#3"',
    "D=a#b",
    "E:  yaml",
    'KEY="-----BEGIN',
    '-----END"',
    "SET",
    "NONE",
    "EMPTY=",
    "F=pass$$word",
  ].join("\n");
  expect(
    parseEnvFile(
      text,
      (name) => env[name],
      () => undefined,
    ),
  ).toEqual({
    A: "1",
    B: "as $A is",
    C: "1\n#3",
    D: "a#b",
    E: "yaml",
    KEY: "-----BEGIN\n-----END",
    SET: "value",
    EMPTY: "",
    F: "pass$word",
  });
});

test.each([
  ["SECRET_KEY_BASE", "abc", true],
  ["database__connection__password", "abc", true],
  ["apiKey", "abc", true],
  ["DATABASE_URL", "postgres://u:p@db/x", true],
  ["DATABASE_URL", "postgres://db/x", false],
  ["POSTGRES_PASSWORD_FILE", "/run/secrets/x", false],
  ["TOKEN_TTL", "3600", false],
  ["PASSWORD_RESET_ENABLED", "true", false],
  ["COMPASS_HEADING", "north", false],
  ["AWS_SECRET_ACCESS_KEY", "abc", true],
])("whether %s=%s is a secret: %s", (name, value, secret) => {
  expect(looksSecret(name, value)).toBe(secret);
});

test("amounts, times and commands are read as Compose writes them", () => {
  expect([mibOf("512m"), mibOf("1.5gb"), mibOf(1048576), mibOf("64M")]).toEqual([512, 1536, 1, 64]);
  expect([secondsOf("1m30s"), secondsOf("500ms"), secondsOf(20)]).toEqual([90, 0.5, 20]);
  expect(wordsOf(`sh -c "echo 'a b' \\"c\\"" it"'s ok"`)).toEqual([
    "sh",
    "-c",
    `echo 'a b' "c"`,
    "it's ok",
  ]);
});

describe("several files", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "archipelago-compose-"));
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };
  afterAll(() => fs.rmSync(dir, { recursive: true }));

  test("later ones override: variables by name, ports added, commands replaced, !reset and !override", () => {
    const first = write(
      "a.yaml",
      `services:
  web:
    image: acme/web:\${TAG:-1}
    command: [a]
    environment: [A=1, B=2, C=3]
    ports: ["80:80"]
    volumes: [data:/data]
    labels: { x: "1" }`,
    );
    const second = write(
      "b.yaml",
      `services:
  web:
    command: [b]
    environment: { B: 3, C: !reset null }
    ports: ["81:81"]
    volumes: [other:/data]
    labels: !reset null
    dns: !override [1.1.1.1]`,
    );
    const { web } = loadProject([first, second], { env: { TAG: "7" } }).services;
    expect(web).toEqual({
      image: "acme/web:7",
      command: ["b"],
      environment: { A: "1", B: "3" },
      ports: ["80:80", "81:81"],
      volumes: ["other:/data"],
      dns: ["1.1.1.1"],
    });
  });

  test("a service extends one of another file, whose paths start there; an include brings its own .env", () => {
    write(
      "base/common.yaml",
      "services: { app: { build: src, env_file: vars, environment: { A: 1 } } }",
    );
    write("base/vars", "FROM_FILE=yes");
    write("part/compose.yaml", "services: { extra: { image: 'x:${TAG}' } }");
    write("part/.env", "TAG=part");
    const main = write(
      "main.yaml",
      `include: [part/compose.yaml]
services:
  web:
    extends: { file: base/common.yaml, service: app }
    environment: { B: 2 }`,
    );
    expect(loadProject([main], { env: {} }).services).toEqual({
      extra: { image: "x:part" },
      web: {
        build: { context: path.join(dir, "base/src") },
        environment: { FROM_FILE: "yes", A: "1", B: "2" },
      },
    });
  });
});

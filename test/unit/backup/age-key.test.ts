import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import {
  identityIn,
  isRecipient,
  newAgeKey,
  recipientOf,
} from "../../../components/backup/age-key";
import { keygen } from "../../../scripts/backup/keygen";

const hasAge = spawnSync("age", ["--version"]).status === 0;
if (!hasAge) console.warn("SKIPPED keys with age itself: not installed: age");

let dir: string;
beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), "archipelago-key-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** From age's own repository (testdata/testkit). */
const KNOWN = {
  identity: "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
  recipient: "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
};

test("the public half of a known key is the one that age computes, and a mistyped key is refused without being repeated", () => {
  expect(recipientOf(`# a comment\n${KNOWN.identity}\n`)).toBe(KNOWN.recipient);
  expect(isRecipient(KNOWN.recipient)).toBe(true);
  expect(isRecipient(KNOWN.recipient.replace("zvk", "zvq"))).toBe(false);
  const mistyped = KNOWN.identity.replace("GFPYY", "GFPYX");
  expect(() => recipientOf(mistyped)).toThrow(
    new Error("the age identity is mistyped or cut short"),
  );
  expect(() => identityIn("age1something")).toThrow("no age identity");
});

(hasAge ? test : test.skip)("age encrypts to a key of ours and opens it", () => {
  const { identity, recipient } = newAgeKey();
  const file = path.join(dir, "key");
  writeFileSync(file, identity);
  const sealed = spawnSync("age", ["-r", recipient], { input: "a row" });
  expect(spawnSync("age", ["-d", "-i", file], { input: sealed.stdout }).stdout.toString()).toBe(
    "a row",
  );
});

test("keygen writes a file for its owner alone, prints the public key only, and never overwrites a key", () => {
  const file = path.join(dir, "backup.key");
  const said = jest.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    expect(keygen(file)).toBe(0);
    const identity = identityIn(readFileSync(file, "utf8"));
    const printed = said.mock.calls.join("");
    expect(printed).toContain(recipientOf(identity));
    expect(printed).not.toContain(identity);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(() => keygen(file)).toThrow("is there already");
  } finally {
    said.mockRestore();
  }
});

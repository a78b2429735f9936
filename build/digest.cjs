// What a compiled program is known by: a digest of everything that it was made of.
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const checkout = path.resolve(__dirname, "..");

/** What decides over every program, whatever its sources. */
const COMMON = ["package-lock.json", "tsconfig.json", "build/compile.cjs"];

const digestOf = (content) => createHash("sha256").update(content).digest("hex");

/**
 * @param {string} entry absolute path.
 * @param {string} packages as `load` takes it.
 * @param {readonly [file: string, digest: string][]} sources each with the digest of its content.
 */
function digest(entry, packages, sources) {
  const hash = createHash("sha256").update(`${packages}\n${entry}\n`);
  for (const name of COMMON) hash.update(fs.readFileSync(path.join(checkout, name)));
  for (const [file, content] of sources) hash.update(`${file}\n${content}\n`);
  return hash.digest("hex").slice(0, 16);
}

module.exports = { digest, digestOf };

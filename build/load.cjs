// Loads one of our TypeScript programs as a single JavaScript file, which is compiled when a source has
// changed. Type checks are `npm run types`; here, starting fast is what counts: each Pulumi command starts
// five Node.js processes. Plain JavaScript, because it comes before any TypeScript can run.
const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

const checkout = path.resolve(__dirname, "..");
const SOURCES = ["build", "components", "infra", "local", "providers", "scripts"];
const CACHE = path.join(checkout, "node_modules/.cache/archipelago");

/**
 * @param {string} entry path of a TypeScript file, relative to the checkout.
 * @param {"external" | "bundled"} packages `bundled` puts the npm packages into the file as well. Not for a
 * program that shares a package's state with whoever loads it.
 * @returns what the entry exports.
 */
function load(entry, packages = "external") {
  return evaluate(compiled(path.resolve(checkout, entry), packages));
}

/** As `require` does it, with V8's code kept beside the file: a third less time than parsing it again. */
function evaluate(file) {
  const kept = `${file}.v8`;
  const cachedData = fs.existsSync(kept) ? fs.readFileSync(kept) : undefined;
  const source = Module.wrap(fs.readFileSync(file, "utf8"));
  const script = new vm.Script(source, { filename: file, cachedData });
  const program = new Module(file, module);
  program.filename = file;
  program.paths = Module._nodeModulePaths(path.dirname(file));
  const { exports } = program;
  const args = [exports, Module.createRequire(file), program, file, path.dirname(file)];
  script.runInThisContext().apply(exports, args);
  // V8 refuses what another version of it wrote.
  if (!cachedData || script.cachedDataRejected) write(kept, script.createCachedData());
  return program.exports;
}

/** In one step: a process that is killed here leaves nothing that a later one would take. */
function write(file, bytes) {
  const partial = `${file}.${process.pid}`;
  fs.writeFileSync(partial, bytes);
  fs.renameSync(partial, file);
}

/** Path of the compiled file. Its name is a digest of everything that it could depend on. */
function compiled(entry, packages) {
  const name = path.relative(checkout, entry).replace(/\W+/g, "-");
  const file = path.join(CACHE, `${name}-${digest(entry, packages)}.cjs`);
  if (fs.existsSync(file)) return file;
  const compile = path.join(__dirname, "compile.cjs");
  const { status, error } = spawnSync(process.execPath, [compile, entry, packages, file], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${entry} could not be compiled; its faults are above`);
  return file;
}

function digest(entry, packages) {
  const hash = createHash("sha256").update(`${packages}\n${entry}\n`);
  hash.update(fs.readFileSync(entry));
  hash.update(fs.readFileSync(path.join(checkout, "package-lock.json")));
  for (const directory of SOURCES) addSources(hash, path.join(checkout, directory));
  return hash.digest("hex").slice(0, 16);
}

function addSources(hash, directory) {
  for (const item of fs.readdirSync(directory, { withFileTypes: true })) {
    const file = path.join(directory, item.name);
    if (item.isDirectory()) addSources(hash, file);
    else if (/\.(ts|cjs|json)$/.test(item.name)) hash.update(file).update(fs.readFileSync(file));
  }
}

module.exports = load;

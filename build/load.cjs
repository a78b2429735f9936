// Loads one of our TypeScript programs as a single JavaScript file, which is compiled when a source has
// changed. Type checks are `npm run types`; here, starting fast is what counts: each Pulumi command starts
// five Node.js processes. Plain JavaScript, because it comes before any TypeScript can run.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");
const { digest, digestOf } = require("./digest.cjs");

const checkout = path.resolve(__dirname, "..");
const CACHE = path.join(checkout, "node_modules/.cache/archipelago");
const KEEP_CODE_AFTER_MS = 2000;

/**
 * @param {string} entry path of a TypeScript file, relative to the checkout.
 * @param {"external" | "program" | "bundled"} packages `bundled` puts the npm packages into the file as well. Not for a
 * program that shares a package's state with whoever loads it: `program` leaves Pulumi's own out.
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
  if (!cachedData || script.cachedDataRejected) keepLater(kept, script);
  return program.exports;
}

/** When it has worked for a while: what is compiled only then is kept as well. A plugin is ended without a word. */
function keepLater(kept, script) {
  const keep = () => {
    clearTimeout(timer);
    process.removeListener("exit", keep);
    try {
      write(kept, script.createCachedData());
    } catch {
      // `npm ci` has removed the directory meanwhile, or the disk is full: the next start is slower, no more.
    }
  };
  const timer = setTimeout(keep, KEEP_CODE_AFTER_MS).unref();
  process.once("exit", keep);
}

/** In one step: a process that is killed here leaves nothing that a later one would take. */
function write(file, bytes) {
  const partial = `${file}.${process.pid}`;
  fs.writeFileSync(partial, bytes);
  fs.renameSync(partial, file);
}

/** Path of the compiled file. Its name is a digest of everything that it was made of. */
function compiled(entry, packages) {
  const base = path.join(CACHE, path.relative(checkout, entry).replace(/\W+/g, "-"));
  const known = compiledBefore(entry, packages, base);
  if (known !== undefined) return known;
  const compile = path.join(__dirname, "compile.cjs");
  const { status, stdout, error } = spawnSync(process.execPath, [compile, entry, packages, base], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${entry} could not be compiled; its faults are above`);
  return stdout;
}

/** What was compiled before, if it was made of these very sources: only they are read, not the whole checkout. */
function compiledBefore(entry, packages, base) {
  try {
    const sources = JSON.parse(fs.readFileSync(`${base}.json`, "utf8"));
    const contents = sources.map((source) => [source, digestOf(fs.readFileSync(source))]);
    const file = `${base}-${digest(entry, packages, contents)}.cjs`;
    return fs.existsSync(file) ? file : undefined;
  } catch {
    // Nothing was compiled yet, or a source has gone: whoever compiles says what is wrong.
    return undefined;
  }
}

module.exports = load;

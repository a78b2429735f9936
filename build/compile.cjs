// Compiles a TypeScript program to one CommonJS file: node compile.cjs <entry> <external|program|bundled> <base>.
// Writes <base>-<digest>.cjs and <base>.json, a list of the sources that it was made of; prints the file's path.
const fs = require("node:fs");
const path = require("node:path");
const esbuild = require("esbuild");
const { digest, digestOf } = require("./digest.cjs");

/** Older files of the same program are removed: nothing starts from them any more. */
const KEEP_MS = 3_600_000;

const [, , entry, packages, base] = process.argv;

/** Digests of the sources as esbuild got them, by path: what is edited meanwhile is noticed at the next start. */
const sources = new Map();

/** Our sources read files beside them, so each keeps its own `__dirname`. */
const ownSources = {
  name: "own-sources",
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|cjs|json)$/ }, ({ path: source }) => {
      if (source.includes(`${path.sep}node_modules${path.sep}`)) return undefined;
      const contents = fs.readFileSync(source, "utf8");
      sources.set(source, digestOf(contents));
      const loader = { ".ts": "ts", ".cjs": "js", ".json": "json" }[path.extname(source)];
      if (loader !== "ts" || !/\b__(dir|file)name\b/.test(contents)) return { contents, loader };
      const head = `const __dirname = ${JSON.stringify(path.dirname(source))}, __filename = ${JSON.stringify(source)};`;
      return { contents: `${head}${contents}`, loader };
    });
  },
};

/** Packages' native parts stay where they are. Where one was not built, its package does without it, as always. */
const nativeParts = {
  name: "native-parts",
  setup({ onResolve }) {
    onResolve({ filter: /\.node$/ }, ({ path: file, resolveDir }) => ({
      path: path.resolve(resolveDir, file),
      external: true,
    }));
  },
};

/**
 * Modules that export one function, which our programs never call, and that cost 0.1 s of each start: BuildKit's
 * sessions (all of protobufjs), and Docker over dockerode's own SSH. Loaded when they are called.
 */
const SELDOM_USED = /(dockerode[\\/]lib[\\/]session|docker-modem[\\/]lib[\\/]ssh)\.js$/;

const seldomUsed = {
  name: "seldom-used",
  setup({ onLoad }) {
    onLoad({ filter: SELDOM_USED }, ({ path: file, suffix }) => {
      if (suffix) return undefined;
      const itself = JSON.stringify(`./${path.basename(file)}?now`);
      return { contents: `module.exports = (...given) => require(${itself})(...given);` };
    });
  },
};

async function compile() {
  const partial = `${base}.${process.pid}`;
  fs.mkdirSync(path.dirname(base), { recursive: true });
  await esbuild.build({
    entryPoints: [entry],
    outfile: partial,
    bundle: true,
    platform: "node",
    target: "node20",
    // Messages and resources carry the names of classes.
    keepNames: true,
    logLevel: "error",
    plugins: [ownSources, nativeParts, seldomUsed],
    ...{
      external: { packages: "external" },
      // esbuild finds its own program beside its files.
      program: { external: ["@pulumi/*", "esbuild"] },
      bundled: {},
    }[packages],
  });
  // esbuild asks for them in any order.
  const made = [...sources].sort(([a], [b]) => (a < b ? -1 : 1));
  const file = `${base}-${digest(entry, packages, made)}.cjs`;
  // A process that is killed here leaves nothing that a later one would load.
  fs.renameSync(partial, file);
  fs.writeFileSync(partial, JSON.stringify(made.map(([source]) => source)));
  fs.renameSync(partial, `${base}.json`);
  removeOld(file);
  process.stdout.write(file);
}

function removeOld(file) {
  const directory = path.dirname(base);
  const program = `${path.basename(base)}-`;
  for (const name of fs.readdirSync(directory)) {
    if (!name.startsWith(program) || name.startsWith(path.basename(file))) continue;
    const old = path.join(directory, name);
    const { mtimeMs } = fs.statSync(old, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (mtimeMs < Date.now() - KEEP_MS) fs.rmSync(old, { force: true });
  }
}

compile().catch((error) => {
  // esbuild has named the faults of the sources.
  if (!error.errors) process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

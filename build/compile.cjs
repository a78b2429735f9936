// Compiles a TypeScript program to one CommonJS file: node compile.cjs <entry> <external|bundled> <file>.
const fs = require("node:fs");
const path = require("node:path");
const esbuild = require("esbuild");

/** Older files of the same program are removed: nothing starts from them any more. */
const KEEP_MS = 3_600_000;

const [, , entry, packages, file] = process.argv;

/** Our sources read files beside them, so each keeps its own `__dirname`. */
const ownDirectories = {
  name: "own-directories",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path: source }) => {
      const text = fs.readFileSync(source, "utf8");
      if (!/\b__(dir|file)name\b/.test(text)) return undefined;
      const head = `const __dirname = ${JSON.stringify(path.dirname(source))}, __filename = ${JSON.stringify(source)};`;
      return { contents: `${head}${text}`, loader: "ts" };
    });
  },
};

async function compile() {
  const partial = `${file}.${process.pid}`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  await esbuild.build({
    entryPoints: [entry],
    outfile: partial,
    bundle: true,
    platform: "node",
    target: "node20",
    // Messages and resources carry the names of classes.
    keepNames: true,
    logLevel: "error",
    plugins: [ownDirectories],
    // ssh2 looks for its native parts beside its own files.
    ...(packages === "bundled" ? { external: ["ssh2"] } : { packages: "external" }),
  });
  // A process that is killed here leaves nothing that a later one would load.
  fs.renameSync(partial, file);
  removeOld();
}

function removeOld() {
  const directory = path.dirname(file);
  const program = path.basename(file).replace(/[0-9a-f]{16}\.cjs$/, "");
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

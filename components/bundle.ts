import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { gzipSync } from "node:zlib";

/** A Docker swarm config holds at most 500 KiB (moby/swarmkit api/validation, `MaxConfigSize`, before 27.0). */
const CONFIG_LIMIT_BYTES = 500 * 1024;

const LOCK_FILE = path.join(__dirname, "../package-lock.json");
const CACHE = path.join(__dirname, "../node_modules/.cache/archipelago");

const FLAGS = [
  "--bundle",
  "--minify",
  "--platform=node",
  "--target=node20",
  "--legal-comments=none",
  "--log-level=error",
];

/** A program of ours that runs in a container. */
export interface BundleSource {
  /** Names it in messages and in the cache. */
  readonly name: string;
  /** Its first file. */
  readonly entry: string;
  /** Directories and files of everything of ours that it is made of. */
  readonly sources: readonly string[];
  /** Files that stand in for packages that it does not need, by package. @default none */
  readonly stubs?: Readonly<Record<string, string>>;
}

const bundled = new Map<string, Buffer>();

/**
 * The program as one gzipped CommonJS file for Node 20 and later.
 *
 * Made by esbuild while the program runs, so that `pulumi up` needs no build step; the same sources and lock file give
 * the same bytes. Made once for each state of the sources.
 *
 * @throws {Error} when esbuild fails or the result does not fit a swarm config.
 */
export function bundle(source: BundleSource): Buffer {
  const known = bundled.get(source.name);
  if (known !== undefined) return known;
  const flags = flagsOf(source);
  const file = path.join(CACHE, `${source.name}-${digest(source, flags)}.js.gz`);
  const bytes = kept(file, () => build(source, flags));
  bundled.set(source.name, bytes);
  return bytes;
}

/**
 * How the container starts it: `node -e <this>`.
 *
 * @param file where the bundle is mounted, ending in `.js.gz`.
 */
export function loader(file: string): string {
  const module = file.replace(/\.gz$/, "");
  return [
    'const { gunzipSync } = require("node:zlib")',
    'const { readFileSync } = require("node:fs")',
    'const Module = require("node:module")',
    `const agent = new Module("${module}")`,
    `agent._compile(gunzipSync(readFileSync("${file}")).toString(), "${module}")`,
  ].join("; ");
}

function flagsOf({ entry, stubs = {} }: BundleSource): string[] {
  const aliases = Object.entries(stubs).map(([name, stub]) => `--alias:${name}=${stub}`);
  return [entry, ...FLAGS, ...aliases];
}

/** What everything depends on that the bundle is made of. */
function digest({ sources }: BundleSource, flags: readonly string[]): string {
  const hash = createHash("sha256").update(flags.join(" ")).update(fs.readFileSync(LOCK_FILE));
  for (const source of sources) {
    const isFile = fs.statSync(source).isFile();
    const names = isFile ? [""] : fs.readdirSync(source, { recursive: true, encoding: "utf8" });
    for (const name of names.sort()) {
      const file = path.join(source, name);
      if (fs.statSync(file).isFile()) hash.update(name).update(fs.readFileSync(file));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** The file's bytes; made and written first where it is missing, in one step that a kill cannot halve. */
function kept(file: string, make: () => Buffer): Buffer {
  if (fs.existsSync(file)) return fs.readFileSync(file);
  const bytes = make();
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  fs.writeFileSync(partial, bytes);
  fs.renameSync(partial, file);
  return bytes;
}

function build({ name }: BundleSource, flags: readonly string[]): Buffer {
  const esbuild = require.resolve("esbuild/bin/esbuild");
  const result = spawnSync(esbuild, flags, { maxBuffer: 16 * 1024 * 1024 });
  if (result.status !== 0) {
    const reason = result.error?.message ?? result.stderr.toString().trim();
    throw new Error(`the ${name} could not be bundled by esbuild: ${reason}`);
  }
  const packed = gzipSync(result.stdout, { level: 9 });
  if (packed.length > CONFIG_LIMIT_BYTES) {
    throw new Error(
      `the ${name} must fit a swarm config (${CONFIG_LIMIT_BYTES} bytes), got ${packed.length}`,
    );
  }
  return packed;
}

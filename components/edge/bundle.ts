import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { gzipSync } from "node:zlib";

/** A Docker swarm config holds at most 500 KiB (moby/swarmkit api/validation, `MaxConfigSize`, before 27.0). */
const CONFIG_LIMIT_BYTES = 500 * 1024;

/** The agent shares the settings and HAProxy's configuration with the program: both are beside it. */
const SOURCES = __dirname;
const AGENT = path.join(SOURCES, "agent");
const LOCK_FILE = path.join(__dirname, "../../package-lock.json");
const CACHE = path.join(__dirname, "../../node_modules/.cache/archipelago");

const FLAGS = [
  path.join(AGENT, "main.ts"),
  "--bundle",
  "--minify",
  "--platform=node",
  "--target=node20",
  "--legal-comments=none",
  "--log-level=error",
  `--alias:mime-db=${path.join(AGENT, "stubs", "mime-db.cjs")}`,
  `--alias:node-forge=${path.join(AGENT, "stubs", "node-forge.cjs")}`,
];

let bundled: Buffer | undefined;

/**
 * The edge-agent as one gzipped CommonJS file for Node 20 and later.
 *
 * Made by esbuild while the program runs, so that `pulumi up` needs no build step; the same sources and lock file give
 * the same bytes. Made once for each state of the sources.
 *
 * @throws {Error} when esbuild fails or the result does not fit a swarm config.
 */
export function agentBundle(): Buffer {
  bundled ??= kept(path.join(CACHE, `edge-agent-${digest()}.js.gz`), build);
  return bundled;
}

/** How the container starts it: `node -e <this>`, with the bundle mounted at /edge-agent.js.gz. */
export const AGENT_LOADER = [
  'const { gunzipSync } = require("node:zlib")',
  'const { readFileSync } = require("node:fs")',
  'const Module = require("node:module")',
  'const agent = new Module("/edge-agent.js")',
  'agent._compile(gunzipSync(readFileSync("/edge-agent.js.gz")).toString(), "/edge-agent.js")',
].join("; ");

/** What everything depends on that the bundle is made of. */
function digest(): string {
  const hash = createHash("sha256").update(FLAGS.join(" ")).update(fs.readFileSync(LOCK_FILE));
  const sources = fs.readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).sort();
  for (const name of sources) {
    const file = path.join(SOURCES, name);
    if (fs.statSync(file).isFile()) hash.update(name).update(fs.readFileSync(file));
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

function build(): Buffer {
  const esbuild = require.resolve("esbuild/bin/esbuild");
  const result = spawnSync(esbuild, FLAGS, { maxBuffer: 16 * 1024 * 1024 });
  if (result.status !== 0) {
    const reason = result.error?.message ?? result.stderr.toString().trim();
    throw new Error(`the edge-agent could not be bundled by esbuild: ${reason}`);
  }
  const packed = gzipSync(result.stdout, { level: 9 });
  if (packed.length > CONFIG_LIMIT_BYTES) {
    throw new Error(
      `the edge-agent must fit a swarm config (${CONFIG_LIMIT_BYTES} bytes), got ${packed.length}`,
    );
  }
  return packed;
}

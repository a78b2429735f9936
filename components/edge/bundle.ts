import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A Docker swarm config holds at most 500 KiB (moby/swarmkit api/validation, `MaxConfigSize`, before 27.0). */
const CONFIG_LIMIT_BYTES = 500 * 1024;

let bundled: Buffer | undefined;

/**
 * The edge-agent as one gzipped CommonJS file for Node 20 and later.
 *
 * Made by esbuild while the program runs, so that `pulumi up` needs no build step; the same sources and lock file give
 * the same bytes. Made once a process.
 *
 * @throws {Error} when esbuild fails or the result does not fit a swarm config.
 */
export function agentBundle(): Buffer {
  bundled ??= build();
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

function build(): Buffer {
  const esbuild = require.resolve("esbuild/bin/esbuild");
  const flags = [
    join(__dirname, "agent", "main.ts"),
    "--bundle",
    "--minify",
    "--platform=node",
    "--target=node20",
    "--legal-comments=none",
    "--log-level=error",
    `--alias:mime-db=${join(__dirname, "agent", "stubs", "mime-db.cjs")}`,
    `--alias:node-forge=${join(__dirname, "agent", "stubs", "node-forge.cjs")}`,
  ];
  const result = spawnSync(esbuild, flags, { maxBuffer: 16 * 1024 * 1024 });
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

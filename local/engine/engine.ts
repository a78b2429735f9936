/** Finds, downloads or builds the pinned Pulumi engine (docs/adr/0002-the-engine.md). */
import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { version as engineVersion } from "@pulumi/pulumi/package.json";
import { Fault } from "../fault";
import { cacheDir, checkout, localDir } from "../paths";
import type { Step } from "../progress";
import { withLock } from "./lock";

const run = promisify(execFile);

/** What the build downloads, compiles and keeps for a moment: measured 3.1 GiB (2026-11, Go 1.26). */
const BUILD_NEEDS_GIB = 4;
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

/** @returns the directory that holds `pulumi` and its language host, to be put first on PATH. */
export async function ensureEngine(step: Step): Promise<string> {
  const installed = await engineOnPath();
  if (installed) return installed;
  const cache = path.join(cacheDir(), "engine");
  const official = path.join(cache, "versions", engineVersion, "bin");
  if (isExecutable(path.join(official, "pulumi"))) return official;
  const built = path.join(cache, engineVersion, "pulumi");
  if (!isExecutable(built)) {
    fs.mkdirSync(cache, { recursive: true });
    await withLock(
      path.join(cache, "lock"),
      (text) => step.note(text),
      async () => {
        if (isExecutable(built) || (await download(cache, official, step))) return;
        await build(cache, built, step);
      },
    );
  }
  return isExecutable(path.join(official, "pulumi")) ? official : withLanguageHost(built);
}

/** An engine of the pinned version that the user installed, unless it is only npm's launcher. */
async function engineOnPath(): Promise<string | undefined> {
  for (const dir of (process.env.PATH ?? "").split(path.delimiter)) {
    if (!dir || dir.includes("node_modules")) continue;
    const candidate = path.join(dir, "pulumi");
    if (!isExecutable(candidate) || !isExecutable(path.join(dir, "pulumi-language-nodejs")))
      continue;
    const { stdout } = await run(candidate, ["version"], {
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    }).catch(() => ({ stdout: "" }));
    if (stdout.trim() === `v${engineVersion}`) return dir;
  }
  return undefined;
}

/** Lets npm's launcher download the release; answers false where the release cannot be reached. */
async function download(cache: string, official: string, step: Step): Promise<boolean> {
  step.note(`downloading the release ${engineVersion}`);
  const launcher = require.resolve("pulumi/run.js");
  await run(process.execPath, [launcher, "version"], {
    env: { ...process.env, PULUMI_HOME: cache, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeout: DOWNLOAD_TIMEOUT_MS,
  }).catch(() => undefined);
  return isExecutable(path.join(official, "pulumi"));
}

async function build(cache: string, target: string, step: Step): Promise<void> {
  await checkGo();
  const { bavail, bsize } = fs.statfsSync(cache);
  const freeGib = (bavail * bsize) / 2 ** 30;
  if (freeGib < BUILD_NEEDS_GIB) {
    throw new Fault(
      `Building the Pulumi engine needs ${BUILD_NEEDS_GIB} GiB free in ${cache}, got ${freeGib.toFixed(1)}: ` +
        `free some space, or set ARCHIPELAGO_CACHE to a directory on a larger disk.`,
    );
  }
  const module = path.join(checkout, "local/engine/build");
  const partial = path.join(cache, `building-${process.pid}`);
  const go = (note: string, args: string[]) => {
    step.note(note);
    return runGo(module, args);
  };
  try {
    await go(
      "the release cannot be reached; downloading its Go modules instead (once, 1 to 3 minutes)",
      ["mod", "download", "github.com/pulumi/pulumi/pkg/v3"],
    );
    await go(`building ${engineVersion} from its Go module (once, 4 to 10 minutes on 2 cores)`, [
      "build",
      "-trimpath",
      "-mod=readonly",
      "-ldflags",
      `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${engineVersion}`,
      "-o",
      partial,
      "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    ]);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(partial, target);
  } finally {
    fs.rmSync(partial, { force: true });
  }
}

async function checkGo(): Promise<void> {
  const { stdout } = await run("go", ["env", "GOVERSION"]).catch(() => ({ stdout: "" }));
  const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  // From 1.21 on, Go fetches by itself the toolchain that a module asks for.
  if (minor >= 21) return;
  throw new Fault(
    `The Pulumi engine ${engineVersion} is not on PATH, its release cannot be downloaded, and building it needs Go ≥ 1.21 ` +
      `(got ${stdout.trim() || "none"}): install pulumi ${engineVersion} (https://www.pulumi.com/docs/install/) or Go.`,
  );
}

async function runGo(module: string, args: string[]): Promise<void> {
  const go = spawn("go", args, { cwd: module, stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  go.stderr.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
  const stop = () => go.kill("SIGTERM");
  process.once("exit", stop);
  const code = await new Promise((done) => go.once("close", done));
  process.removeListener("exit", stop);
  if (code === 0) return;
  const remedy = /no space left/.test(errors)
    ? "The disk is full: free some space (Go keeps its caches under `go env GOCACHE GOMODCACHE`)."
    : "Run the command again when the network is back; what was downloaded is kept.";
  throw new Fault(
    `go ${args[0]} failed: ${errors.trim().split("\n").slice(-3).join(" ")}\n${remedy}`,
  );
}

/**
 * A directory of this checkout with the built engine and our language host side by side: the engine
 * looks beside itself first, and without a warning. A hard link, since it would look through a symbolic one.
 */
function withLanguageHost(built: string): string {
  const dir = path.join(localDir(), "engine", engineVersion);
  const engine = path.join(dir, "pulumi");
  const host = path.join(dir, "pulumi-language-nodejs");
  const script = `#!/usr/bin/env node\nrequire(${JSON.stringify(path.join(checkout, "local/engine/language-host.cjs"))});\n`;
  if (isExecutable(engine) && fs.existsSync(host) && fs.readFileSync(host, "utf8") === script) {
    return dir;
  }
  fs.mkdirSync(dir, { recursive: true });
  fs.rmSync(engine, { force: true });
  try {
    fs.linkSync(built, engine);
  } catch {
    fs.copyFileSync(built, `${engine}.partial`);
    fs.chmodSync(`${engine}.partial`, 0o755);
    fs.renameSync(`${engine}.partial`, engine);
  }
  fs.writeFileSync(host, script, { mode: 0o755 });
  return dir;
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).size > 0;
  } catch {
    return false;
  }
}

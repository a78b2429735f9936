/** Finds, downloads or builds the pinned Pulumi engine (docs/adr/0002-the-engine.md). */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { version as engineVersion } from "@pulumi/pulumi/package.json";
import { buildGo, type GoProgram } from "../go-build";
import { cacheDir, checkout, localDir } from "../paths";
import type { Step } from "../progress";
import { withLock } from "./lock";

const run = promisify(execFile);

const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

const PROGRAM: GoProgram = {
  name: `The Pulumi engine ${engineVersion}`,
  remedy: `install pulumi ${engineVersion} (https://www.pulumi.com/docs/install/)`,
  pins: path.join(checkout, "local/engine/build"),
  module: "github.com/pulumi/pulumi/pkg/v3",
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  ldflags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${engineVersion}`,
  // Measured 3.1 (2026-11, Go 1.26).
  needsGib: 4,
  downloadTakes: "once, 1 to 3 minutes",
  buildTakes: "once, 4 to 10 minutes on 2 cores",
};

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
        fs.mkdirSync(path.dirname(built), { recursive: true });
        await buildGo(PROGRAM, built, step);
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

/**
 * A directory of this checkout with the built engine and our language host side by side: the engine
 * looks beside itself first, and without a warning. A hard link, since it would look through a symbolic one.
 */
function withLanguageHost(built: string): string {
  const dir = path.join(localDir(), "engine", engineVersion);
  const engine = path.join(dir, "pulumi");
  const host = path.join(dir, "pulumi-language-nodejs");
  const load = path.join(checkout, "build/load.cjs");
  const script = `#!/usr/bin/env node\nrequire(${JSON.stringify(load)})("local/engine/language-host.cjs", "bundled");\n`;
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

export function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).size > 0;
  } catch {
    return false;
  }
}

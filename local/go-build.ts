/** Programs built from their Go modules, for machines that cannot download their releases. */
import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { Fault } from "./fault";
import type { Step } from "./progress";

const run = promisify(execFile);

export interface GoProgram {
  /** Begins sentences: `The Pulumi engine 3.255.0`. */
  readonly name: string;
  /** What the user can do instead of installing Go. */
  readonly remedy: string;
  /** Directory with the go.mod and go.sum that pin it. */
  readonly pins: string;
  /** Module that is downloaded. */
  readonly module: string;
  /** Its main package. */
  readonly package: string;
  /** For the linker, after `-s -w`. */
  readonly ldflags?: string;
  /** Whether it must run on any Linux of the same architecture. @default false */
  readonly static?: boolean;
  /** What the build downloads, compiles and keeps for a moment, GiB. */
  readonly needsGib: number;
  /** `once, 1 to 3 minutes`. */
  readonly downloadTakes: string;
  readonly buildTakes: string;
}

/**
 * Builds a program.
 *
 * @param target where it appears, whole, in a directory that exists.
 * @throws {Fault} without Go, without the room, or when Go fails.
 */
export async function buildGo(program: GoProgram, target: string, step: Step): Promise<void> {
  await checkGo(program);
  checkRoom(program, path.dirname(target));
  const partial = `${target}.building-${process.pid}`;
  try {
    step.note(
      `the release cannot be reached; downloading its Go modules instead (${program.downloadTakes})`,
    );
    await runGo(program, ["mod", "download", program.module]);
    step.note(`building it from its Go module (${program.buildTakes})`);
    await runGo(program, [
      "build",
      "-trimpath",
      "-mod=readonly",
      "-ldflags",
      `-s -w ${program.ldflags ?? ""}`,
      "-o",
      partial,
      program.package,
    ]);
    fs.renameSync(partial, target);
  } finally {
    fs.rmSync(partial, { force: true });
  }
}

async function checkGo({ name, remedy }: GoProgram): Promise<void> {
  const { stdout } = await run("go", ["env", "GOVERSION"]).catch(() => ({ stdout: "" }));
  const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  // From 1.21 on, Go fetches by itself the toolchain that a module asks for.
  if (minor >= 21) return;
  throw new Fault(
    `${name} cannot be downloaded, and building it needs Go ≥ 1.21 (got ${stdout.trim() || "none"}): ${remedy} or Go.`,
  );
}

function checkRoom({ name, needsGib }: GoProgram, directory: string): void {
  const { bavail, bsize } = fs.statfsSync(directory);
  const freeGib = (bavail * bsize) / 2 ** 30;
  if (freeGib >= needsGib) return;
  throw new Fault(
    `${name} is built with ${needsGib} GiB free in ${directory}, got ${freeGib.toFixed(1)}: ` +
      `free some space, or set ARCHIPELAGO_CACHE to a directory on a larger disk.`,
  );
}

async function runGo(program: GoProgram, args: string[]): Promise<void> {
  const go = spawn("go", args, {
    cwd: program.pins,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...(program.static && { CGO_ENABLED: "0" }) },
  });
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

/** `npm test`: set-up if needed, then every check. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { installable, install } from "../local/docker-engine";
import { checkout } from "../local/paths";
import { step } from "../local/progress";
import { ensureS3Program } from "../local/s3/program";
import { prepare } from "../local/setup";

/** Servers that tests talk to for real: an ACME server, the edge proxy, PostgreSQL, a workflow's shell checker. */
const TEST_PACKAGES = [
  "pebble",
  "haproxy",
  "postgresql-15",
  "pgbouncer",
  "redis-server",
  "shellcheck",
  "sqlite3",
  "rclone",
  "age",
  "zstd",
  // Where there is systemd, it would let strangers log in from then on.
  ...(fs.existsSync("/run/systemd/system") ? [] : ["openssh-server"]),
];

/** What needs no running thing. Each keeps what it found out for the next time, ESLint apart: its rules look at types of other files. */
const STATIC_CHECKS: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "Types",
    "tsc",
    ["--noEmit", "--incremental", "--tsBuildInfoFile", "node_modules/.cache/types.tsbuildinfo"],
  ],
  ["Format", "prettier", ["--check", "--cache", "--log-level", "warn", "."]],
  ["Lint", "eslint", ["."]],
];

/** @param args handed to jest, which then runs alone. */
export async function test(args: readonly string[]): Promise<number> {
  const absent = installable(TEST_PACKAGES);
  if (absent.length > 0) await install(absent);
  await Promise.all([prepare(), prepareS3Server()]);
  // Tests wait a good part of their time: the other checks use it.
  const codes = await Promise.all([args.length > 0 ? 0 : staticChecks(), run("jest", args)]);
  return codes.find((code) => code !== 0) ?? 0;
}

/** Tests that need it say so where it cannot be had. */
async function prepareS3Server(): Promise<void> {
  // It is a program for Linux, which machines are.
  if (process.platform !== "linux") return;
  await step("S3 server", ensureS3Program).catch((error: Error) =>
    process.stderr.write(`${error.message}\n`),
  );
}

/** One after the other, to the last: each finds faults of its own. */
async function staticChecks(): Promise<number> {
  let failed = 0;
  for (const [name, program, words] of STATIC_CHECKS) {
    const code = await run(program, words, os.constants.priority.PRIORITY_BELOW_NORMAL);
    process.stderr.write(`${name}: ${code === 0 ? "well" : "failed"}\n`);
    failed ||= code;
  }
  return failed;
}

function run(program: string, words: readonly string[], priority?: number): Promise<number> {
  const bin = path.join(checkout, "node_modules/.bin", program);
  const child = spawn(bin, words, { cwd: checkout, stdio: "inherit" });
  if (priority !== undefined && child.pid !== undefined) os.setPriority(child.pid, priority);
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (code) => done(code ?? 1));
  });
}

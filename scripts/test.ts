/** `npm test`: set-up if needed, then every check. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { installable, install } from "../local/docker-engine";
import { checkout } from "../local/paths";
import { prepare } from "../local/setup";

/** Servers that tests talk to for real: an ACME server, the edge proxy, PostgreSQL, a workflow's shell checker. */
const TEST_PACKAGES = ["pebble", "haproxy", "postgresql-15", "shellcheck"];

/** @param args handed to jest, which then runs alone. */
export async function test(args: readonly string[]): Promise<number> {
  const absent = installable(TEST_PACKAGES);
  if (absent.length > 0) await install(absent);
  await prepare();
  const bin = (name: string) => path.join(checkout, "node_modules/.bin", name);
  const checks: [string, string, readonly string[]][] = [
    ["Types", bin("tsc"), ["--noEmit"]],
    ["Lint", bin("eslint"), ["."]],
    ["Format", bin("prettier"), ["--check", "--log-level", "warn", "."]],
  ];
  for (const [name, command, words] of args.length > 0 ? [] : checks) {
    process.stderr.write(`${name} …\n`);
    const { status } = spawnSync(command, words, { cwd: checkout, stdio: "inherit" });
    if (status !== 0) return status ?? 1;
  }
  const jest = spawnSync(bin("jest"), args, { cwd: checkout, stdio: "inherit" });
  return jest.status ?? 1;
}

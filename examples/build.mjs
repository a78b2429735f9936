// Run by `npm ci` (prepare): bundles every example, so that its image needs nothing from a network.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

try {
  createRequire(import.meta.url).resolve("esbuild");
} catch {
  console.log(
    "The examples were not built: esbuild is not installed. Run `npm ci`, then `npm run prepare`.",
  );
  process.exit(0);
}

const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const { status } = spawnSync(
  npm,
  ["run", "build", "--workspaces", "--if-present", "--loglevel=error"],
  { stdio: "inherit", shell: process.platform === "win32" },
);
process.exit(status ?? 1);

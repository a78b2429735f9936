#!/usr/bin/env node
// The first thing every npm script runs, so plain JavaScript without packages: makes sure that Node.js is
// new enough and that the packages of package-lock.json are there, then hands over to the command.
const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..");
const NEEDED = [20, 19];

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `Archipelago needs Node.js ${NEEDED.join(".")} or newer, got ${process.versions.node}: see https://nodejs.org/en/download.\n`,
  );
  process.exit(1);
}

const stamp = path.join(root, "node_modules/.archipelago-packages");
const wanted = createHash("sha256")
  .update(fs.readFileSync(path.join(root, "package-lock.json")))
  .update(process.versions.modules)
  .digest("hex");
if (!fs.existsSync(stamp) || fs.readFileSync(stamp, "utf8") !== wanted) {
  process.stderr.write("Packages: installing what package-lock.json names (npm ci) …\n");
  const npm = spawnSync("npm", ["ci", "--loglevel=error", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (npm.status !== 0) {
    process.stderr.write(
      "npm ci failed (its message is above): check the network and free disk space, then run the command again.\n",
    );
    process.exit(1);
  }
  fs.writeFileSync(stamp, wanted);
}

require("../build/load.cjs")("scripts/cli.ts");

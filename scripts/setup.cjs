#!/usr/bin/env node
// The first thing every npm script runs, so plain JavaScript without packages: makes sure that Node.js is
// new enough and that the packages of package-lock.json are there, then hands over to the command.
const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
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
const complete = () => fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === wanted;

function install() {
  process.stderr.write("Packages: installing what package-lock.json names (npm ci) …\n");
  const npm = spawnSync("npm", ["ci", "--loglevel=error", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (npm.status !== 0) {
    process.stderr.write(
      "npm ci failed (its message is above): check the network and free disk space, then run the command again.\n",
    );
    return false;
  }
  fs.writeFileSync(stamp, wanted);
  return true;
}

// `npm ci` begins by removing node_modules, also from under another command that installs at the same time.
// So one command installs, and the others wait: the lock is outside, and names its holder.
const key = createHash("sha256").update(root).digest("hex").slice(0, 12);
const lock = path.join(os.tmpdir(), `archipelago-packages-${key}`);

function takeLock() {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

function holderIsGone() {
  try {
    process.kill(Number(fs.readFileSync(lock, "utf8")), 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

function waitForLock() {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  while (!takeLock()) {
    if (holderIsGone()) fs.rmSync(lock, { force: true });
    else Atomics.wait(clock, 0, 0, 200);
  }
}

// The sample app is one built file. `npm ci` builds it; a pull may change its sources alone.
const example = path.join(root, "examples/notes");
const timeOf = (file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const isBuilt = () => {
  const sources = fs.existsSync(path.join(example, "src"))
    ? fs.readdirSync(path.join(example, "src"))
    : [];
  const newest = Math.max(0, ...sources.map((name) => timeOf(path.join(example, "src", name))));
  return timeOf(path.join(example, "dist/server.js")) >= newest;
};

function build() {
  const { status } = spawnSync(process.execPath, [path.join(root, "examples/build.mjs")], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return status === 0;
}

if (!complete() || !isBuilt()) {
  waitForLock();
  let ready;
  try {
    ready = (complete() || install()) && (isBuilt() || build());
  } finally {
    fs.rmSync(lock, { force: true });
  }
  if (!ready) process.exit(1);
}

require("../build/load.cjs")("scripts/cli.ts");

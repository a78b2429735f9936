#!/usr/bin/env node
// Completes package-lock.json after `npm install` on a machine whose registry lacks packages for other
// platforms: npm leaves out optional packages that it cannot find, and `npm ci` then refuses the lock file.
// Usage: node scripts/complete-lockfile.cjs
const fs = require("node:fs");
const path = require("node:path");

const file = path.resolve(__dirname, "../package-lock.json");
const lock = JSON.parse(fs.readFileSync(file, "utf8"));
const packages = lock.packages;
let added = 0;

for (const [location, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const places = [`${location}/node_modules/${name}`, `node_modules/${name}`];
    const platform =
      /(darwin|linux|win32|freebsd|android|openharmony|openbsd|netbsd|sunos|aix)-([a-z0-9]+)(-|$)/.exec(
        name,
      );
    if (!platform || places.some((place) => packages[place])) continue;
    packages[`node_modules/${name}`] = {
      version,
      cpu: [platform[2]],
      os: [platform[1]],
      ...(dev && { dev: true }),
      optional: true,
    };
    added++;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en")),
);
fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added} optional packages for other platforms added.\n`);

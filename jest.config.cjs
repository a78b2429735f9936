const os = require("node:os");

/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  // Most of the time of the longest tests is waiting for machines, so there are more workers than cores.
  maxWorkers: Math.max(3, os.availableParallelism()),
  // Room for a busy machine; what a test waits for, it waits for by condition.
  testTimeout: 30_000,
  globalSetup: "<rootDir>/test/setup/leftovers.ts",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/", "/.local/"],
  modulePathIgnorePatterns: ["<rootDir>/.local/"],
  transform: {
    "^.+\\.(t|j)s$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "commonjs" } },
    ],
  },
};

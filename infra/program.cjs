// What the engine runs: index.ts, compiled if it has changed.

// Pulumi takes a stack trace for each resource, and the source maps that its launcher applies to every frame
// (source-map-support) would cost 5 ms each, to name lines of Pulumi's own TypeScript.
Error.prepareStackTrace = undefined;

require("../build/defer.cjs")(require);
require("../build/debug.cjs")(require);
module.exports = require("../build/load.cjs")("infra/index.ts", "program");

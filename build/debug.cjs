// Leaves out what Pulumi's SDK does only for those who debug it, a quarter of the processor time of a program with a hundred
// resources: four messages to the engine for each, which shows them with --debug alone, and a stack trace for each
// promise, for the case that one is never settled. ARCHIPELAGO_DEBUG=1 keeps both.

/** @param {NodeRequire} find resolves `@pulumi/pulumi`. */
function leaveOutDebugging(find) {
  const { ARCHIPELAGO_DEBUG, PULUMI_DEBUG_PROMISE_LEAKS } = process.env;
  if (ARCHIPELAGO_DEBUG) return;
  replace(find, "@pulumi/pulumi/log", "debug", () => () => Promise.resolve());
  if (PULUMI_DEBUG_PROMISE_LEAKS) return;
  replace(find, "@pulumi/pulumi/runtime/debuggable", "debuggablePromise", withoutStack);
}

/** Puts what `make` makes of a function of the SDK in its place; another version of the SDK may not have it. */
function replace(find, file, name, make) {
  let module;
  try {
    module = find(file);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    return;
  }
  const known = module[name];
  if (typeof known === "function") module[name] = make(known);
}

/** The same function, in which a new Error has no stack. */
function withoutStack(work) {
  return (...given) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return work(...given);
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
}

module.exports = leaveOutDebugging;

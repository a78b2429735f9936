import { execFileSync } from "node:child_process";
import * as path from "node:path";

const checkout = path.resolve(__dirname, "../../..");

/** What a fresh process prints that has loaded Pulumi's SDK as the program does. `sent` is what its engine was told. */
function print(expression: string, env: NodeJS.ProcessEnv = {}): string {
  const script = `
    require("./build/defer.cjs")(require);
    const pulumi = require("@pulumi/pulumi");
    require("./build/debug.cjs")(require);
    const sent = [];
    const engine = { log: (request, done) => { sent.push(request.getMessage()); done(); } };
    require("@pulumi/pulumi/runtime/settings").getEngine = () => engine;
    const { debuggablePromise } = require("@pulumi/pulumi/runtime/debuggable");
    const promise = Promise.resolve(42);
    (async () => console.log(await (${expression})))();`;
  return execFileSync(process.execPath, ["-e", script], {
    cwd: checkout,
    encoding: "utf8",
    env: { ...process.env, ...env },
  }).trim();
}

const messages = `pulumi.log.debug("detail").then(() => pulumi.log.warn("warning")).then(() => sent.join())`;
const trace = `debuggablePromise(promise, "test").then((value) =>
  value + " " + /\\n +at /.test(promise._debugStackTrace) + " " + /\\n +at /.test(new Error().stack))`;

describe("what Pulumi's SDK does for those who debug it", () => {
  test("is left out, and warnings, values and the stacks of errors are not", () => {
    expect(print(messages)).toBe("warning");
    expect(print(trace)).toBe("42 false true");
  });

  test("is there with ARCHIPELAGO_DEBUG, and for leaked promises with Pulumi's own variable", () => {
    expect(print(messages, { ARCHIPELAGO_DEBUG: "1" })).toBe("detail,warning");
    expect(print(trace, { ARCHIPELAGO_DEBUG: "1" })).toBe("42 true true");
    expect(print(trace, { PULUMI_DEBUG_PROMISE_LEAKS: "1" })).toBe("42 true true");
  });
});

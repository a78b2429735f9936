import { execFileSync } from "node:child_process";
import * as path from "node:path";

const checkout = path.resolve(__dirname, "../../..");

/** What a fresh process prints that loads Pulumi's SDK as the program does. */
function print(expression: string): string {
  const script = `
    require("./build/defer.cjs")(require);
    const pulumi = require("@pulumi/pulumi");
    const loaded = () => Object.keys(require.cache).filter((file) =>
      /(@npmcli.arborist|automation|typescript)[\\\\/]/.test(file) && require.cache[file].children.length > 0);
    Promise.resolve(${expression}).then((value) => console.log(value));`;
  return execFileSync(process.execPath, ["-e", script], { cwd: checkout, encoding: "utf8" }).trim();
}

describe("what the program seldom needs of Pulumi's SDK", () => {
  test("is not loaded with it", () => {
    expect(print("loaded().length + ' ' + typeof pulumi.CustomResource")).toBe("0 function");
  });

  test("is there once it is asked for", () => {
    expect(print("pulumi.automation.LocalWorkspace.name")).toBe("LocalWorkspace");
    expect(print("'LocalWorkspace' in pulumi.automation")).toBe("true");
    expect(
      print("pulumi.runtime.serializeFunction(() => 6 * 7).then(({ text }) => text)"),
    ).toContain("6 * 7");
  });
});

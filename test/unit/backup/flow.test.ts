import { spawnSync } from "node:child_process";
import * as path from "node:path";

const root = path.resolve(__dirname, "../../..");

test("a program that ends before it has read everything is an error with its words, and not the end of the agent", () => {
  const program = 'require("./build/load.cjs")("test/unit/backup/flow-into-a-closed-program.ts")';
  const { stdout, stderr, status } = spawnSync(process.execPath, ["-e", program], {
    cwd: root,
    encoding: "utf8",
  });
  expect({ stdout, stderr, status }).toEqual({ stdout: "sh: damaged", stderr: "", status: 0 });
});

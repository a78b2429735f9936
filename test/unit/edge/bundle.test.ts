import * as path from "node:path";
import { buildSync } from "esbuild";

const root = path.resolve(__dirname, "../../..");

test("everything the agent is made of decides whether its bundle is made anew", () => {
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: ["components/edge/agent/main.ts"],
    bundle: true,
    platform: "node",
    metafile: true,
    write: false,
  });
  const own = Object.keys(metafile.inputs).filter((file) => !file.includes("node_modules/"));
  // The digest reads this directory and file, and the lock file for the packages.
  expect(own.filter((file) => !file.startsWith("components/edge/"))).toEqual([
    "components/webhook.ts",
  ]);
  expect(own.length).toBeGreaterThan(10);
});

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

const root = path.resolve(__dirname, "../../..");
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7";
const actionlint = spawnSync("actionlint", ["-version"]).error
  ? { command: "go", args: ["run", ACTIONLINT] }
  : { command: "actionlint", args: [] };
const canLint = !spawnSync(actionlint.command, ["version"]).error;
if (!canLint) console.warn("Skipped: GitHub workflows are linted where actionlint or Go is there.");

interface CircleConfig {
  readonly jobs: Record<string, { readonly steps: readonly unknown[] }>;
  readonly commands: Record<string, { readonly steps: readonly unknown[] }>;
  readonly workflows: Record<
    string,
    { readonly jobs: readonly (string | Record<string, object>)[] }
  >;
}
const circle = parse(
  fs.readFileSync(path.join(root, ".circleci/config.yml"), "utf8"),
) as CircleConfig;
const scripts = Object.keys(
  (JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: object })
    .scripts,
);

function shellOf(step: unknown): string[] {
  const run = (step as { run?: string | { command: string } }).run;
  return run === undefined ? [] : [typeof run === "string" ? run : run.command];
}

describe("continuous integration", () => {
  (canLint ? test : test.skip)(
    "GitHub refuses none of the workflows",
    () => {
      const { stdout, stderr, status } = spawnSync(
        actionlint.command,
        [...actionlint.args, "-no-color"],
        { cwd: root, encoding: "utf8" },
      );
      expect({ stdout, status, stderr: status === 0 ? "" : stderr }).toEqual({
        stdout: "",
        status: 0,
        stderr: "",
      });
    },
    180_000,
  );

  test("every job in a CircleCI workflow exists or is an approval, and needs only jobs of that workflow", () => {
    for (const { jobs } of Object.values(circle.workflows)) {
      const entries = jobs.map((job) => (typeof job === "string" ? { [job]: {} } : job));
      const names = entries.flatMap((entry) => Object.keys(entry));
      for (const [name, options] of entries.flatMap((entry) => Object.entries(entry))) {
        const { type, requires = [] } = options as { type?: string; requires?: string[] };
        if (type !== "approval") expect(Object.keys(circle.jobs)).toContain(name);
        expect(names).toEqual(expect.arrayContaining(requires));
      }
    }
  });

  test("CircleCI's commands call npm scripts that exist", () => {
    const steps = [...Object.values(circle.jobs), ...Object.values(circle.commands)].flatMap(
      (job) => job.steps,
    );
    const called = steps
      .flatMap(shellOf)
      .flatMap((text) => [...text.matchAll(/npm (?:run )?([a-z]+)/g)]);
    const names = called.map((match) => match[1] ?? "").filter((name) => name !== "ci");
    expect(names.length).toBeGreaterThan(3);
    expect(scripts).toEqual(expect.arrayContaining(names));
  });
});

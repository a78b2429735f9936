import { rollOf } from "../../../infra/roll";
import { rollWith, type RollOptions } from "../../../scripts/roll";
import { readPreview } from "../../../scripts/roll/preview";
import type { RunOptions, StackPulumi } from "../../../scripts/stack-pulumi";

const urn = (node: string) =>
  `urn:pulumi:app::archipelago::archipelago:node:Node$digitalocean:index/droplet:Droplet::${node}`;
const inputs = (size: string) => ({ inputs: { size, userData: "#cloud-config" } });

/** A stack whose nodes are to get another size: an engine of which only the steps count. */
class FakeStack implements StackPulumi {
  readonly stack = "app";
  readonly isLocal = true;
  readonly ups: string[][] = [];
  /** A node whose replacement fails. */
  failing: string | undefined;
  otherChanges = 0;
  error: string | undefined;

  constructor(
    private readonly all: readonly string[],
    public left: readonly string[] = all,
  ) {}

  run([command = ""]: readonly string[], { environment = {} }: RunOptions = {}) {
    const { held } = rollOf(environment) ?? { held: [] as string[] };
    const turn = this.left.filter((node) => !held.includes(node));
    if (command === "preview") return Promise.resolve(this.preview(turn));
    this.ups.push(turn);
    const code = turn.includes(this.failing ?? "") ? 255 : 0;
    if (code === 0) {
      this.left = this.left.filter((node) => held.includes(node));
      this.otherChanges = 0;
    }
    return Promise.resolve({ code, stdout: "", stderr: "" });
  }

  private preview(turn: readonly string[]) {
    if (this.error !== undefined) {
      const diagnostics = [{ severity: "error", message: this.error }];
      return { code: 255, stdout: JSON.stringify({ diagnostics }), stderr: "" };
    }
    const steps = this.all.map((node) => ({
      op: turn.includes(node) ? "replace" : "same",
      urn: urn(node),
      oldState: { id: node, ...inputs("small") },
      newState: { id: node, ...inputs("large") },
      replaceReasons: turn.includes(node) ? ["size"] : undefined,
    }));
    const changeSummary = {
      same: this.all.length - turn.length,
      ...(turn.length > 0 && { replace: turn.length }),
      ...(this.otherChanges > 0 && { update: this.otherChanges }),
    };
    return { code: 0, stdout: JSON.stringify({ steps, changeSummary }), stderr: "" };
  }
}

/** What was told last. */
let lines: string[] = [];

const NODES = ["manager-1", "manager-2", "manager-3", "worker-1", "worker-10", "worker-2"];

async function rolled(
  stack: StackPulumi,
  options: RollOptions = { yes: true },
  agrees = true,
  leaders = ["manager-1"],
) {
  lines = [];
  const code = await rollWith(stack, options, {
    leaders: () => Promise.resolve(leaders),
    agree: () => Promise.resolve(agrees),
    tell: (line) => void lines.push(line),
  });
  return { code, text: lines.join("\n") };
}

test("nodes get their turn one at a time: workers, managers, the leader last", async () => {
  const stack = new FakeStack(NODES);
  const { code, text } = await rolled(stack);
  expect(code).toBe(0);
  const order = ["worker-1", "worker-2", "worker-10", "manager-2", "manager-3", "manager-1"];
  expect(stack.ups).toEqual(order.map((node) => [node]));
  expect(text).toContain("6. manager-1  size small → large (the leader)");
  expect(text).toContain("Droplets: 6 now → 6 after, 7 at most in between (with `up`: 12)");
  expect(text).toContain("app: all 6 nodes are new.");
});

test("each site's leader comes after the other managers of both", async () => {
  const stack = new FakeStack(["manager-1", "manager-2", "second-manager-1", "second-manager-2"]);
  const { text } = await rolled(stack, { yes: true }, true, ["manager-2", "second-manager-1"]);
  expect(stack.ups.flat()).toEqual([
    "manager-1",
    "second-manager-2",
    "second-manager-1",
    "manager-2",
  ]);
  expect(text.match(/\(the leader\)/g)).toHaveLength(2);
});

test("a dry run, and a person who says no, change nothing", async () => {
  const stack = new FakeStack(NODES);
  expect(await rolled(stack, { dryRun: true })).toMatchObject({ code: 0 });
  expect(await rolled(stack, {}, false)).toMatchObject({ code: 1 });
  expect(stack.ups).toEqual([]);
});

test("a node that fails stops the roll, which says what is done and goes on when it is run again", async () => {
  const stack = new FakeStack(NODES);
  stack.failing = "worker-10";
  const { code, text } = await rolled(stack);
  expect(code).toBe(255);
  expect(text).toContain(
    "worker-10 failed (above is why). New: worker-1, worker-2. Not touched yet: manager-2, manager-3, manager-1.",
  );
  expect(text).toContain("To go on: npm run roll -- app;");
  stack.failing = undefined;
  expect(await rolled(stack)).toMatchObject({ code: 0 });
  expect(stack.ups.slice(3)).toEqual([["worker-10"], ["manager-2"], ["manager-3"], ["manager-1"]]);
  expect((await rolled(stack)).text).toBe("app: no node is to be replaced.");
});

test("managers that answer no more stop the roll before the next node, and what is done is told", async () => {
  const stack = new FakeStack(NODES);
  const world = {
    leaders: () =>
      stack.ups.length < 2
        ? Promise.resolve(["manager-1"])
        : Promise.reject(new Error("No manager of app answers")),
    agree: () => Promise.resolve(true),
    tell: (line: string) => void lines.push(line),
  };
  lines = [];
  await expect(rollWith(stack, {}, world)).rejects.toThrow("No manager of app answers");
  expect(stack.ups).toEqual([["worker-1"], ["worker-2"]]);
  expect(lines.join("\n")).toContain(
    "New: worker-1, worker-2. Not touched yet: worker-10, manager-2, manager-3, manager-1.",
  );
});

test("what else the stack file changes comes first, with every node left as it is", async () => {
  const stack = new FakeStack(NODES, ["worker-1"]);
  stack.otherChanges = 2;
  const { text } = await rolled(stack);
  expect(text).toContain("first 2 other changes");
  expect(stack.ups).toEqual([[], ["worker-1"]]);
});

test("a node of a second site is told from the first one's of the same name", () => {
  const step = (size: string, name: string) => ({
    op: "replace",
    urn: urn("worker-1"),
    oldState: { id: name, inputs: { name, size: "small" } },
    newState: { id: name, inputs: { name, size } },
    replaceReasons: ["size"],
  });
  const steps = [step("large", "app-worker-1"), step("huge", "app-second-worker-1")];
  expect(readPreview(JSON.stringify({ steps })).replaced).toEqual([
    { node: "worker-1", why: "size small → large" },
    { node: "second-worker-1", why: "size small → huge" },
  ]);
});

test("a stack file with faults is told, and nothing is changed", async () => {
  const stack = new FakeStack(NODES);
  stack.error = "archipelago:image must be an image that DigitalOcean has";
  await expect(rolled(stack)).rejects.toThrow(`Nothing was changed:\n${stack.error}`);
});

import { criticalPath, longestPath, readState } from "../../../scripts/bench/critical-path";

const urn = (name: string) => `urn:pulumi:s::p::t:index:T::${name}`;
const resource = (name: string, second: number, ...dependencies: string[]) => ({
  urn: urn(name),
  type: "t:index/t:T",
  created: `2026-11-21T00:00:${String(second).padStart(2, "0")}.000Z`,
  dependencies: dependencies.map(urn),
});
const state = (...resources: object[]) => readState(JSON.stringify({ deployment: { resources } }));

describe("the path that a bench figure names", () => {
  test("leads from the start to what was ready last, over whichever dependency was ready last", () => {
    const path = criticalPath(
      state(
        resource("quick", 2),
        resource("slow", 7),
        resource("app", 10, "quick", "slow"),
        resource("aside", 9),
      ),
      new Date("2026-11-21T00:00:01.000Z"),
    );
    expect(path.map(({ name, seconds }) => [name, seconds])).toEqual([
      ["slow", 6],
      ["app", 3],
    ]);
  });

  test("of waits is the dearest chain, not the one with the most links", () => {
    const waits: Record<string, number> = { a: 1, b: 1, c: 1, dear: 30, end: 5 };
    const path = longestPath(
      state(
        resource("a", 0),
        resource("b", 0, "a"),
        resource("c", 0, "b"),
        resource("dear", 0),
        resource("end", 0, "c", "dear"),
      ),
      (each) => waits[each.urn.split("::").at(-1) ?? ""] ?? 0,
    );
    expect(path.map(({ name }) => name)).toEqual(["dear", "end"]);
  });
});

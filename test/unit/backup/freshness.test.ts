import { describeFreshness, freshnessOf } from "../../../scripts/backup/freshness";

const now = Date.parse("2026-11-21T12:00:00Z");
const said = (...found: [place: "first" | "second", startedAt: string][]) =>
  freshnessOf(
    found.map(([place, startedAt]) => ({ place, startedAt })),
    [],
    now,
  ).problems;

test("status calls backups well only when both places have one of the last 26 hours", () => {
  expect(said(["first", "2026-11-21T02:17:00Z"], ["second", "2026-11-20T10:17:00Z"])).toEqual([]);
  expect(said(["first", "2026-11-19T02:17:00Z"], ["first", "2026-11-20T02:17:00Z"])).toEqual([
    "the first place's newest is 34 h old",
    "the second place has no backup",
  ]);
});

test("a place that does not answer is said instead of an age", () => {
  const line = describeFreshness(freshnessOf([], ["second place: no route to host"], now));
  expect(line).toContain("second place: no route to host");
});

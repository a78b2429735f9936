import * as fc from "fast-check";
import { keptBackups } from "../../../components/backup/agent/retention";

const keep = { days: 7, weeks: 4, months: 6 };
const days = (count: number, from = "2026-11-21T02:17:00Z") =>
  Array.from({ length: count }, (_, index) => new Date(Date.parse(from) - index * 86_400_000));
const kept = (times: readonly Date[], wanted = keep) =>
  [...keptBackups(times, wanted)].map((time) => time.toISOString().slice(0, 10)).sort();

test("of a year of daily backups there stay seven days, four weeks and six months", () => {
  expect(kept(days(365))).toEqual([
    "2026-06-30",
    "2026-07-31",
    "2026-08-31",
    "2026-09-30",
    "2026-10-31",
    "2026-11-01",
    "2026-11-08",
    "2026-11-15",
    "2026-11-16",
    "2026-11-17",
    "2026-11-18",
    "2026-11-19",
    "2026-11-20",
    "2026-11-21",
  ]);
});

test("of several on a day the newest stays, of the last two days all, and a long silence deletes nothing that it had kept", () => {
  const many = [...days(4), ...days(4, "2026-11-21T12:00:00Z")];
  const left = [...keptBackups(many, { days: 4, weeks: 0, months: 0 })].map((t) => t.toISOString());
  expect(left.sort().reverse()).toEqual([
    "2026-11-21T12:00:00.000Z",
    "2026-11-21T02:17:00.000Z",
    "2026-11-20T12:00:00.000Z",
    "2026-11-20T02:17:00.000Z",
    "2026-11-19T12:00:00.000Z",
    "2026-11-18T12:00:00.000Z",
  ]);
  const old = days(7, "2020-01-07T02:17:00Z");
  expect(kept([...old, ...days(1)], { days: 3, weeks: 1, months: 1 })).toEqual([
    "2020-01-06",
    "2020-01-07",
    "2026-11-21",
  ]);
});

test("the newest backup always stays, whatever is asked for, and keeping twice deletes nothing more", () => {
  const times = fc.array(
    fc.date({ min: new Date("2020-01-01"), max: new Date("2030-01-01"), noInvalidDate: true }),
    { minLength: 1 },
  );
  const counts = fc.record({ days: fc.nat(9), weeks: fc.nat(9), months: fc.nat(9) });
  fc.assert(
    fc.property(times, counts, (all, wanted) => {
      const once = keptBackups(all, wanted);
      const newest = Math.max(...all.map((time) => time.getTime()));
      expect([...once].some((time) => time.getTime() === newest)).toBe(true);
      expect(keptBackups([...once], wanted)).toEqual(once);
    }),
  );
});

import { mustNotBeOfNewServer } from "../../../scripts/restore/newest";

const part = (kind: string, name: string, rows: number, originalBytes = rows * 100) => ({
  kind,
  name,
  rows,
  bytes: originalBytes,
  originalBytes,
});
const backup = (id: string, ...parts: ReturnType<typeof part>[]) => ({ id, parts });

const full = backup("20261120T021700Z", part("database", "app", 1204));
const files = backup("20261120T021700Z", part("volume", "web", 0, 5 * 2 ** 20));

test("a restore after a loss does not take the backup that the empty new server made of itself", () => {
  const [first, second] = ["20261121T090000Z", "20261122T021700Z"].map((id) =>
    backup(id, part("database", "app", 2)),
  );
  if (!first || !second) throw new Error("there are two");
  expect(() => mustNotBeOfNewServer(first, [full, first])).toThrow(
    "The newest backup, 20261121T090000Z, has much less than 20261120T021700Z: database app 2 rows instead of 1204. A server that was new and empty may have made it. Say which one you mean: --to 20261120T021700Z or --to 20261121T090000Z",
  );
  expect(() => mustNotBeOfNewServer(second, [full, first, second])).toThrow(
    "--to 20261120T021700Z",
  );
});

test("nor one without the files or the SQLite file that were there", () => {
  const empty = backup("20261121T090000Z", part("volume", "web", 0, 0));
  expect(() => mustNotBeOfNewServer(empty, [files, empty])).toThrow(
    "volume web 0 B instead of 5.0 MiB",
  );
  const ledger = backup("20261120T021700Z", part("sqlite", "web", 500));
  expect(() => mustNotBeOfNewServer(empty, [ledger, empty])).toThrow(
    "sqlite web 0 rows instead of 500",
  );
});

test("the newest backup is taken where rows came and went as they do, in both places or one", () => {
  const newest = backup("20261121T021700Z", part("database", "app", 900));
  expect(() => mustNotBeOfNewServer(newest, [newest, full, full, newest])).not.toThrow();
  const small = backup("20261120T021700Z", part("database", "app", 40));
  const none = backup("20261121T021700Z", part("database", "app", 2));
  expect(() => mustNotBeOfNewServer(none, [small, none])).not.toThrow();
});

import { filesIn, linesOf } from "../../../scripts/restore/services";

const part = (kind: string, name: string, more: object = {}) => ({
  kind,
  name,
  bytes: 1,
  originalBytes: 2 ** 20,
  rows: 0,
  ...more,
});
const backup = {
  place: "first" as const,
  id: "20261121T021700Z",
  startedAt: "2026-11-21T02:17:00Z",
  finishedAt: "2026-11-21T02:17:09Z",
  recipient: "age1",
  parts: [
    part("database", "app"),
    part("sqlite", "web", { path: "data/app.db" }),
    part("volume", "web"),
    part("volume", "mail"),
    part("files", "files"),
  ],
};

test("an operator reads whose files come back, which databases are among them, and who is stopped for it", () => {
  expect(linesOf(filesIn(backup, {}))).toEqual([
    "  the files of web (2.0 MiB, data/app.db among them) take the place of those that are there, which are kept in web.before_<now>; web is stopped for that",
    "  the files of mail (1.0 MiB) take the place of those that are there, which are kept in mail.before_<now>; mail is stopped for that",
    "  uploaded files (1.0 MiB) that are gone or were changed come back into the bucket; what was changed is kept there below before_<now>/, and what came later stays",
  ]);
  expect(filesIn(backup, { service: "mail" })).toHaveLength(1);
});

test("a service that the backup has no files of is named before anything is asked of the stack", () => {
  expect(() => filesIn(backup, { service: "api" })).toThrow(
    "Backup 20261121T021700Z has no files of api: it has those of web, mail.",
  );
});

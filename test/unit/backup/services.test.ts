import type { SwarmEngine } from "../../../providers/swarm/swarm/engine";
import { haveStarted } from "../../../scripts/adopt/data/pause";
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

describe("after a restore", () => {
  const services = [
    { id: "1", name: "web" },
    { id: "2", name: "mail" },
  ];
  const task = (serviceId: string, state: string) => ({ serviceId, state });

  const engineThat = (...looks: object[][]) => {
    const engine = {
      services: () => Promise.resolve(services),
      tasks: () => Promise.resolve(looks.length > 1 ? looks.shift() : looks[0]),
    };
    return engine as unknown as SwarmEngine;
  };

  test("the command ends when the services that it stopped run again", async () => {
    const down = [task("1", "shutdown"), task("2", "starting")];
    const up = [...down, task("1", "running"), task("1", "running"), task("2", "running")];
    const looks = [down, up];
    await haveStarted(engineThat(...looks), { web: 2, mail: 1 });
  });

  test("a service that does not run on what was restored is named", async () => {
    const engine = engineThat([task("1", "running"), task("2", "failed")]);
    await expect(haveStarted(engine, { web: 1, mail: 1 }, 0)).rejects.toThrow(
      "Started again, and not running after 0 s: mail.",
    );
  });
});

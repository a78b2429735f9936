import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { channelsOf } from "../../../components/backup/watch/channels";
import type { Problem, Seen } from "../../../components/backup/watch/look";
import { Watcher } from "../../../components/backup/watch/watcher";
import type { AlarmWays } from "../../../components/backup/watch-settings";
import { PASSWORD, PATH, PostOffice } from "./post-office";

const at = (hours: number) => new Date(Date.UTC(2026, 10, 21, 12) + hours * 3_600_000);
const stale: Problem = {
  name: "first.backup",
  says: "the newest backup is 34 h old",
  settleMinutes: 30,
};
const seen = (problems: readonly Problem[], ...unreachable: Seen["unreachable"]): Seen => ({
  problems,
  unreachable,
});

describe("somebody is told when backups stop", () => {
  let office: PostOffice;
  let directory: string;
  let log: string;
  beforeEach(async () => {
    office = await PostOffice.open();
    directory = mkdtempSync(path.join(tmpdir(), "archipelago-watch-"));
    log = "";
  });
  afterEach(async () => {
    await office.stop();
    rmSync(directory, { recursive: true });
  });

  /** As after a restart: it knows what is in its file. */
  const watcher = (ways: AlarmWays = office.ways) =>
    new Watcher(
      path.join(directory, "incidents.json"),
      channelsOf("shop", ways, [0, 0]),
      (event, details) => void (log += JSON.stringify({ event, ...details })),
    );
  const severities = () => office.posts.map(({ severity }) => severity);

  test("once by webhook and mail when it has lasted, again each day, and when it is over; a restart tells nobody twice", async () => {
    await watcher().heed(seen([stale]), at(0));
    expect([office.posts, office.mails]).toEqual([[], []]);
    await watcher().heed(seen([stale]), at(0.5));
    await watcher().heed(seen([stale]), at(1));
    expect(severities()).toEqual(["critical"]);
    expect(office.posts[0]).toMatchObject({
      text: expect.stringContaining(
        "shop: backups are not in order.\n- since 2026-11-21 12:00 UTC: the newest backup is 34 h old",
      ) as string,
      problems: [{ name: "first.backup" }],
    });
    expect(office.mails).toHaveLength(1);
    expect(office.mails[0]).toContain("Subject: shop: backups are not in order");
    expect(office.mails[0]).toContain("To: night@example.com, day@example.com");
    await watcher().heed(seen([stale]), at(24.5));
    await watcher().heed(seen([]), at(25));
    await watcher().heed(seen([]), at(26));
    expect(severities()).toEqual(["critical", "critical", "resolved"]);
    expect(office.mails).toHaveLength(3);
    expect(office.mails[2]).toContain("Subject: shop: backups are in order again");
  });

  test("a problem that passes before it counts is nobody's business", async () => {
    await watcher().heed(seen([stale]), at(0));
    await watcher().heed(seen([]), at(0.2));
    await watcher().heed(seen([stale]), at(0.6));
    expect(office.posts).toEqual([]);
  });

  test("a place that cannot be read is no all-clear for what was wrong there", async () => {
    await watcher().heed(seen([stale]), at(0));
    await watcher().heed(seen([stale]), at(1));
    const away = { name: "first.unreachable", says: "no route to host", settleMinutes: 30 };
    await watcher().heed(seen([away], "first"), at(2));
    await watcher().heed(seen([away], "first"), at(3));
    expect(severities()).toEqual(["critical", "critical"]);
    expect(office.posts[1]?.problems.map(({ name }) => name).sort()).toEqual([
      "first.backup",
      "first.unreachable",
    ]);
  });

  test("who could not be reached is told later, and the others not again; no secret is in the log", async () => {
    office.status = 503;
    await watcher().heed(seen([{ ...stale, settleMinutes: 0 }]), at(0));
    expect(office.mails).toHaveLength(1);
    office.status = 200;
    const wrong = { ...office.ways, mail: { ...office.ways.mail, password: "another" } };
    await watcher(wrong).heed(seen([{ ...stale, settleMinutes: 0 }]), at(0.2));
    await watcher(wrong).heed(seen([]), at(0.4));
    expect(severities()).toEqual(["critical", "resolved"]);
    expect(office.mails).toHaveLength(1);
    await watcher().heed(seen([]), at(0.6));
    expect(office.mails).toHaveLength(2);
    expect(log).toContain("the alarm webhook answered 503");
    expect(log).toContain("535");
    for (const secret of [PASSWORD, PATH, "another"]) expect(log).not.toContain(secret);
  });

  test("a test of the alarm says that it is one", async () => {
    await Promise.all(
      channelsOf("shop", office.ways).map(({ send }) =>
        send({ kind: "test", problems: [], ended: [] }),
      ),
    );
    expect(severities()).toEqual(["test"]);
    expect(office.mails[0]).toContain("Subject: shop: test of the backup alarm");
    expect(office.logins).toEqual([`alarm:${PASSWORD}`]);
  });
});

test("no password goes to a mail server that cannot encrypt", async () => {
  const office = await PostOffice.open({ starttls: false });
  try {
    const [mail] = channelsOf("shop", { mail: office.ways.mail }, []);
    await expect(mail?.send({ kind: "test", problems: [], ended: [] })).rejects.toThrow(/TLS/);
    expect(office.logins).toEqual([]);
  } finally {
    await office.stop();
  }
});

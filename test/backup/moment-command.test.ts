import { rmSync } from "node:fs";
import type { BackupSettings } from "../../components/backup/settings";
import { backup } from "../../scripts/backup";
import type { Target } from "../../scripts/operator/target";
import { restore } from "../../scripts/restore";
import type { RestoreOptions } from "../../scripts/restore/options";
import { agentWith, typed } from "./operator";
import { missing, Servers } from "./servers";

const target = { stack: "shop", outputs: { backup: {} } } as Target;
let agent: ReturnType<typeof agentWith>;
let agrees: () => boolean;
jest.mock("../../scripts/operator/one-off", () => ({
  runningTask: () => Promise.resolve({}),
  runInside: (...words: Parameters<typeof agent>) => agent(...words),
}));
jest.mock("../../scripts/operator/target", () => ({ findTarget: () => Promise.resolve(target) }));
jest.mock("../../scripts/operator/agree", () => ({ agree: () => Promise.resolve(agrees()) }));

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED restoring a moment: not installed: ${absent.join(", ")}`);

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

(absent.length > 0 ? describe.skip : describe)("a moment, by an operator's command", () => {
  let servers: Servers;
  let settings: BackupSettings;
  let key: string;
  beforeAll(async () => {
    servers = await new Servers().start();
    settings = servers.settings();
    agent = agentWith(() => settings);
    key = servers.keyFile();
    servers.archiveLog();
    servers.sql("app", "CREATE TABLE notes AS SELECT i FROM generate_series(1, 1000) i");
    expect((await typed(() => backup("shop", [], {}))).code).toBe(0);
  });
  afterAll(() => servers.stop());

  const bring = (options: RestoreOptions) =>
    typed(() =>
      restore("shop", { identity: key, to: "end", database: "app", into: "app_end", ...options }),
    );

  test("says how much it is and how long that takes before it asks, and a no changes nothing", async () => {
    const plan =
      /Recovery of shop to the end of what was archived, from the first place:\n {2}a copy of the server's files \(server \d+, [\d.]+ MiB, \d+ min old\), .*\n.* About \d+ s, and what replaying the log takes\./;
    let isAsked = 0;
    agrees = () => {
      isAsked += 1;
      return false;
    };
    const refused = await bring({});
    expect(refused.code).toBe(1);
    expect(refused.said).toMatch(plan);
    expect(isAsked).toBe(1);
    const dry = await bring({ dryRun: true });
    expect(dry).toMatchObject({ code: 0, said: expect.stringMatching(plan) as string });
    expect(dry.said).toContain("Would restore app_end");
    expect(isAsked).toBe(1);
    expect(servers.databases()).not.toContain("app_end");
    agrees = () => true;
    expect((await bring({})).code).toBe(0);
    expect(servers.sql("app_end", "SELECT count(*) FROM notes")).toBe("1000");
    servers.sql("postgres", "DROP DATABASE app_end");
  });

  test("of a place that is away is not taken from the other one without a word, but with it", async () => {
    agrees = () => {
      throw new Error("nobody is asked for what cannot be done");
    };
    const away = { ...servers.s3, endpoint: "http://127.0.0.1:1" };
    settings = { ...settings, places: { ...settings.places, first: away } };
    const failed = await bring({});
    expect(failed.code).toBe(1);
    expect(failed.said).toMatch(
      /the first place cannot be read: [^]*again when it answers, or --from second: what was archived last may not have been copied there/,
    );
    expect((await bring({ yes: true, from: "second" })).code).toBe(0);
    expect(servers.sql("app_end", "SELECT count(*) FROM notes")).toBe("1000");
    servers.sql("postgres", "DROP DATABASE app_end");

    settings = servers.settings();
    rmSync(servers.objects, { recursive: true });
    const empty = await bring({});
    expect(empty.code).toBe(1);
    expect(empty.said).toContain(
      "the first place has no copy of a server's files\ntry --from second",
    );
  });
});

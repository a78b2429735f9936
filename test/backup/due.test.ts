import { backUp } from "../../components/backup/agent/backup";
import { backupsIn } from "../../components/backup/agent/catalogue";
import type { Context } from "../../components/backup/agent/context";
import { dueIn } from "../../components/backup/agent/due";
import { idOf } from "../../components/backup/agent/manifest";
import { run } from "../../components/backup/agent/run";
import type { Store } from "../../components/backup/agent/store";
import type { BackupSettings } from "../../components/backup/settings";
import { httpServer } from "../acme/harness";
import { missing, Servers } from "./servers";

const absent = missing();
if (absent.length > 0)
  console.warn(`SKIPPED places that fail: not installed: ${absent.join(", ")}`);

// Dozens of programs start, which a busy machine takes its time for.
jest.setTimeout(120_000);

const DAY_MS = 86_400_000;

(absent.length > 0 ? describe.skip : describe)("a place that fails", () => {
  let servers: Servers;
  let settings: BackupSettings;
  let heartbeats = 0;
  let close: () => void;
  const now = Date.now();
  const at = (days: number) => new Date(now - days * DAY_MS);
  const ids = (of = settings) =>
    servers.agent(async ({ stores }) => {
      const all = await Promise.all(stores.map(backupsIn));
      return all.map((each) => [...each.keys()]);
    }, of);

  beforeEach(async () => {
    servers = await new Servers().start({ postgres: false });
    const { server, port } = await httpServer((_request, response) => {
      heartbeats += 1;
      response.end();
    });
    close = () => server.close();
    settings = servers.settings({
      server: undefined,
      keep: { days: 1, weeks: 0, months: 0 },
      heartbeat: `http://127.0.0.1:${port}/ping`,
    });
    heartbeats = 0;
    await servers.agent(backUp, settings, () => at(9));
  });
  afterEach(() => {
    close();
    servers.stop();
  });

  const scheduled = (of: BackupSettings, change = (stores: readonly Store[]) => stores) =>
    servers.agent(
      async (context: Context) => {
        const { stores, away } = await dueIn(context, at(1));
        return run({ ...context, stores: change(stores) }, away);
      },
      of,
      () => at(0),
    );

  test("and is away keeps the other one neither from its backup nor from being tidied, and no heartbeat says that all is well", async () => {
    const endpoint = "http://127.0.0.1:1";
    const away = {
      ...settings,
      places: { ...settings.places, first: { ...servers.s3, endpoint } },
    };
    await expect(scheduled(away)).rejects.toThrow(/^first place: /);
    expect(heartbeats).toBe(0);
    expect((await ids()).result).toEqual([[idOf(at(9))], [idOf(at(0))]]);
    // Back again, it is the only one that is due.
    const { result: due } = await servers.agent((context) => dueIn(context, at(1)), settings);
    expect([due.stores.map(({ name }) => name), due.away]).toEqual([["first"], []]);
    await scheduled(settings);
    expect(heartbeats).toBe(1);
    const { result } = await servers.agent((context) => dueIn(context, at(1)), settings);
    expect(result).toEqual({ stores: [], away: [] });
  });

  test("and takes nothing is tried again alone: no other one fills up", async () => {
    const full = (stores: readonly Store[]) =>
      stores.map((store) =>
        store.name === "first"
          ? store
          : (Object.create(store, {
              putText: { value: () => Promise.reject(new Error("no space left on device")) },
            }) as Store),
      );
    const words = /^not every place has backup .*; second place: no space left on device$/;
    await expect(scheduled(settings, full)).rejects.toThrow(words);
    expect(heartbeats).toBe(0);
    expect((await ids()).result).toEqual([[idOf(at(0))], [idOf(at(9))]]);
    await expect(scheduled(settings, full)).rejects.toThrow("no place has the backup");
    expect((await ids()).result).toEqual([[idOf(at(0))], [idOf(at(9))]]);
  });
});

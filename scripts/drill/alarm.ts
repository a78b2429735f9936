/** Whether people hear of a place that has fallen silent, from the stack itself. */
import type { Incident } from "../../components/backup/watch/incidents";
import { WATCH_SERVICE, WATCH_STATE } from "../../components/backup/watch-settings";
import { mustOperate } from "./command";
import { type Ground, STACK } from "./ground";
import { inService } from "./in-service";
import { until } from "./until";

/** A little more than a place may be silent for. */
const SILENT_MINUTES = 31;
const HEARD_SECONDS = 180;

/** Who is told, and the second place. */
export interface Watched {
  /** What people were told until now, the oldest first. */
  readonly heard: () => Promise<readonly string[]>;
  /** Whether the place answers nobody. */
  readonly silence: (isSilent: boolean) => Promise<void>;
}

/** @returns what was heard, a line each. @throws {Error} when something was not. */
export async function alarmsReach(ground: Ground, watched: Watched): Promise<string[]> {
  const { heard, silence } = watched;
  await mustOperate(["backup", STACK, "test-alarm", "--json"]);
  if (!(await heard()).some((text) => text.includes("test of the backup alarm"))) {
    throw new Error("test-alarm said that it was sent, and nobody heard it");
  }
  const mustHear = async (what: string, words: string) => {
    const before = (await heard()).length;
    const started = Date.now();
    await restartWatcher(ground);
    await until(what, HEARD_SECONDS, async () =>
      (await heard()).slice(before).some((text) => text.includes(words)),
    );
    return `${what} heard ${Math.round((Date.now() - started) / 1000)} s after the watcher's restart`;
  };
  await silence(true);
  try {
    await silentSince(ground, new Date(Date.now() - SILENT_MINUTES * 60_000));
    const alarm = await mustHear("alarm of the silent place", "the second place cannot be read");
    await silence(false);
    const allClear = await mustHear("all-clear", "backups are in order again");
    return ["test alarm heard", alarm, allClear];
  } finally {
    await silence(false);
  }
}

/** What the watcher would remember, had it looked then: a drill does not wait for half an hour. */
async function silentSince(ground: Ground, since: Date): Promise<void> {
  const incident: Incident = {
    name: "second.unreachable",
    says: "the second place cannot be read",
    settleMinutes: 30,
    since: since.toISOString(),
    told: {},
  };
  await inService(ground, WATCH_SERVICE, ["sh", "-euc", `cat > ${WATCH_STATE}/incidents.json`], {
    stdin: JSON.stringify([incident]),
  });
}

/** It looks at once when it starts, and every ten minutes from then on. */
async function restartWatcher(ground: Ground): Promise<void> {
  const task = await ground.taskOf(WATCH_SERVICE);
  await task.kill();
}

/** Whether people hear of a place that has fallen silent, from the stack itself. */
import type { Incident } from "../../components/backup/watch/incidents";
import { WATCH_SERVICE, WATCH_STATE } from "../../components/backup/watch-settings";
import { mustOperate } from "./command";
import type { Alarm, Doorway } from "./doorway";
import { type Ground, STACK } from "./ground";
import { inService } from "./in-service";
import { until } from "./until";

/** A little more than a place may be silent for. */
const SILENT_MINUTES = 31;
const HEARD_SECONDS = 180;

/** @returns what was heard, a line each. @throws {Error} when something was not. */
export async function alarmsReach(ground: Ground, doorway: Doorway): Promise<string[]> {
  await mustOperate(["backup", STACK, "test-alarm", "--json"]);
  if (!doorway.alarms.some(({ severity }) => severity === "test")) {
    throw new Error("test-alarm said that it was sent, and nobody heard it");
  }
  const heard = async (what: string, isIt: (alarm: Alarm) => boolean) => {
    const from = doorway.alarms.length;
    const started = Date.now();
    await restartWatcher(ground);
    await until(what, HEARD_SECONDS, () => Promise.resolve(doorway.alarms.slice(from).some(isIt)));
    return `${what} heard ${Math.round((Date.now() - started) / 1000)} s after the watcher's restart`;
  };
  doorway.isSilent = true;
  try {
    await silentSince(ground, new Date(Date.now() - SILENT_MINUTES * 60_000));
    const alarm = await heard(
      "alarm of the silent place",
      ({ severity, text }) =>
        severity === "critical" && text.includes("the second place cannot be read"),
    );
    doorway.isSilent = false;
    const allClear = await heard("all-clear", ({ severity }) => severity === "resolved");
    return ["test alarm heard", alarm, allClear];
  } finally {
    doorway.isSilent = false;
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

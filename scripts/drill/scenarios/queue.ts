/** Work in a queue outlives whoever works on it. */
import { setTimeout as delay } from "node:timers/promises";
import type { Scenario } from "../drill";
import { BASE, WEB } from "../ground";
import { until } from "../until";

const REPORTS = 20;
const SECONDS_EACH = 3;
const KILLS = 3;

interface Report {
  readonly id: string;
  readonly doneAt: string | null;
  readonly attempts: number | null;
}

export const killQueueWorker: Scenario = {
  name: "kill-queue-worker",
  action: `${KILLS} times a queue worker killed in mid-job (SIGKILL), ${REPORTS} jobs`,
  prepare: async (ground) => {
    const reports = {
      build: WEB.build,
      command: ["node", "/app/server.js", "worker"],
      replicas: 2,
    };
    const web = { ...WEB, environment: { REPORTS: "elsewhere" } };
    await ground.mustUp({ ...BASE, services: { web, reports } });
    const { url } = await ground.outputs();
    const api = new URL("/api/reports", url).href;
    const ask = async (): Promise<Report> => {
      const response = await fetch(api, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ seconds: SECONDS_EACH }),
      });
      if (response.status !== 201) throw new Error(`a report was refused: HTTP ${response.status}`);
      return ((await response.json()) as { report: Report }).report;
    };
    const look = async (id: string): Promise<Report> =>
      ((await (await fetch(`${api}/${id}`)).json()) as { report: Report }).report;
    return async () => {
      const asked = await Promise.all(Array.from({ length: REPORTS }, ask));
      for (let kill = 0; kill < KILLS; kill++) {
        await delay(SECONDS_EACH * 1500);
        await (await ground.taskOf("reports")).kill({ signal: "SIGKILL" });
      }
      let now: readonly Report[] = [];
      await until("end of every report", 240, async () => {
        now = await Promise.all(asked.map(({ id }) => look(id)));
        return now.every(({ doneAt }) => doneAt !== null);
      });
      const again = now.filter(({ attempts }) => (attempts ?? 1) > 1).length;
      if (again === 0) throw new Error("no worker was killed in mid-job");
      return [
        `${now.length} of ${REPORTS} jobs done, ${again} of them at a further attempt, 0 lost`,
      ];
    };
  },
};

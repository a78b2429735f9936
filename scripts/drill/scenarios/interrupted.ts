/** `up` killed at any moment: the next one finishes the work, and no request notices. */
import { setTimeout as delay } from "node:timers/promises";
import type { Scenario } from "../drill";
import { engineBelow } from "../engine-process";
import { BASE, withWeb, type Ground, type StackConfig } from "../ground";

const KILLS = 30;
/** Within this time a change has begun everything that it begins. */
const LATEST_SECONDS = 30;

/** A deploy, a change of replicas, and a node more or less, in turn. */
function change(ground: Ground, turn: number): StackConfig {
  const deployed = withWeb({ environment: { RELEASE: ground.fresh() } });
  if (turn % 3 === 0) return deployed;
  if (turn % 3 === 1) return withWeb({ replicas: 3 + (turn % 2) });
  return { ...BASE, workers: { count: 2 + (turn % 2), size: "s-2vcpu-2gb" } };
}

export const killUp: Scenario = {
  name: "kill-up",
  action: `up killed (SIGKILL) at ${KILLS} random moments, the next one goes on`,
  prepare: (ground) =>
    Promise.resolve(async () => {
      const moments: number[] = [];
      for (let turn = 0; turn < KILLS; turn++) {
        const config = change(ground, turn);
        const seconds = Math.random() * LATEST_SECONDS;
        const up = ground.up(config);
        const ended = await Promise.race([up.then(() => true), delay(seconds * 1000, false)]);
        if (!ended) {
          const engine = engineBelow(process.pid);
          if (engine !== undefined) {
            process.kill(engine, "SIGKILL");
            moments.push(seconds);
          }
          await up;
        }
        await ground.mustUp(config);
        const preview = await ground.pulumi("preview", "--expect-no-changes");
        if (preview.code !== 0)
          throw new Error(`after ${seconds.toFixed(1)} s: ${preview.stdout}${preview.stderr}`);
      }
      const latest = Math.max(...moments).toFixed(0);
      return [`${moments.length} times killed, ${latest} s after its start at the latest`];
    }),
};

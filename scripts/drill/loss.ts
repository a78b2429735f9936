/** What holds data goes, as by a wrong click in the control panel, and the app writes again. */
import { setTimeout as delay } from "node:timers/promises";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import type { Ground } from "./ground";
import { until } from "./until";
import { startWriter } from "./writer";

/**
 * Deletes Droplets and Volumes at the provider, and database clusters where there are some.
 *
 * @param spared a Droplet that is none of the stack's.
 */
export async function lose(ground: Ground, spared?: number): Promise<void> {
  await remove(ground, "droplets", spared);
  // What still leads to those Droplets is of no use.
  closeConnections();
  // Detached once their Droplet is gone.
  await remove(ground, "volumes");
  await loseDatabase(ground);
}

/** Deletes database clusters alone. */
export const loseDatabase = (ground: Ground): Promise<void> => remove(ground, "databases");

async function remove(ground: Ground, kind: string, spared?: number): Promise<void> {
  const listed = await ground.api<Record<string, { id: string | number }[]>>(
    "GET",
    `/v2/${kind}?per_page=200`,
  );
  for (const { id } of listed[kind] ?? []) {
    if (id === spared) continue;
    await until(`end of ${kind}/${id}`, 120, async () => {
      await ground.api("DELETE", `/v2/${kind}/${id}`);
      return true;
    });
  }
}

/** Waits until the app writes again. @param at its URL. @default the stack's */
export async function firstWrite(ground: Ground, at?: string): Promise<void> {
  const url = at ?? (await ground.outputs()).url;
  await until("acknowledged write", 120, async () => {
    const writer = startWriter({ url }, ground.fresh());
    await delay(1000);
    return (await writer.stop()).acknowledged.length > 0;
  });
}

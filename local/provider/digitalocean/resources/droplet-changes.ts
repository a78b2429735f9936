import type { Update } from "../../framework/provider";
import { lowerCase } from "../../framework/schema";
import { isZero, members, text, texts, type Values } from "../../framework/values";
import { hasStatus, type ApiClient } from "../client";
import { act } from "../wait";
import { whenDroplet } from "./droplet-state";

/** The API's backup policy; `undefined` where the program sets none. */
export const policyOf = (value: unknown): Values | undefined =>
  isZero(value)
    ? undefined
    : {
        plan: members(value).plan,
        weekday: members(value).weekday,
        hour: members(value).hour,
      };

/** Switches the Droplet off, resizes it and switches it on again, also where resizing fails. */
export async function resize(client: ApiClient, id: string, { news }: Update): Promise<void> {
  const actions = `/droplets/${id}/actions`;
  const powerOn = async (): Promise<void> => {
    await act(client, `powering on Droplet ${id}`, actions, { type: "power_on" });
    await whenDroplet(client, id, "become active", ({ status }) => status === "active");
  };
  try {
    await act(client, `powering off Droplet ${id}`, actions, { type: "power_off" });
  } catch (error) {
    if (!hasStatus(error, 422) || !/already powered off/i.test((error as Error).message)) {
      throw error;
    }
  }
  await whenDroplet(client, id, "power off", ({ status }) => status === "off");
  try {
    await act(client, `resizing Droplet ${id}`, actions, {
      type: "resize",
      size: lowerCase(text(news.size)),
      disk: news.resizeDisk !== false,
    });
  } catch (error) {
    await powerOn();
    throw error;
  }
  await powerOn();
}

export async function changeBackups(client: ApiClient, id: string, update: Update): Promise<void> {
  const actions = `/droplets/${id}/actions`;
  const policy = policyOf(update.news.backupPolicy);
  if (update.changed("backups")) {
    const type = update.news.backups === true ? "enable_backups" : "disable_backups";
    await act(client, `${type} on Droplet ${id}`, actions, {
      type,
      ...(type === "enable_backups" && policy ? { backup_policy: policy } : {}),
    });
  } else if (update.changed("backupPolicy") && policy) {
    await act(client, `changing the backup policy of Droplet ${id}`, actions, {
      type: "change_backup_policy",
      backup_policy: policy,
    });
  }
}

export async function changeVolumes(client: ApiClient, id: string, update: Update): Promise<void> {
  const [before, after] = [texts(update.olds.volumeIds), texts(update.news.volumeIds)];
  const change = (type: "attach" | "detach", volume: string): Promise<void> =>
    act(client, `${type}ing Volume ${volume}, Droplet ${id}`, `/volumes/${volume}/actions`, {
      type,
      droplet_id: Number(id),
    });
  for (const volume of after.filter((one) => !before.includes(one))) {
    await change("attach", volume);
  }
  for (const volume of before.filter((one) => !after.includes(one))) {
    await change("detach", volume);
  }
}

import type { ResourceType } from "../../framework/provider";
import { number, string } from "../../framework/schema";
import { integer, text } from "../../framework/values";
import { isNotFound, type ApiClient } from "../client";
import { act, whenIdle } from "../wait";
import type { ApiVolume } from "./volume";

function change(
  client: ApiClient,
  type: "attach" | "detach",
  dropletId: number,
  volumeId: string,
): Promise<void> {
  // P volume/resource_volume_attachment.go tries again too.
  return whenIdle(client, `Volume ${volumeId} to ${type}`, () =>
    act(client, `${type}ing Volume ${volumeId}`, `/volumes/${volumeId}/actions`, {
      type,
      droplet_id: dropletId,
    }),
  );
}

export const volumeAttachment: ResourceType<ApiClient> = {
  inputs: {
    dropletId: number({ required: true, replace: true }),
    volumeId: string({ required: true, replace: true }),
  },
  outputs: [],
  async create(client, inputs) {
    const { dropletId, volumeId } = inputs;
    const { volume } = await client.get<{ volume: ApiVolume }>(`/volumes/${text(volumeId)}`);
    if (!volume.droplet_ids?.includes(integer(dropletId))) {
      await change(client, "attach", integer(dropletId), text(volumeId));
    }
    return { id: `${integer(dropletId)}-${text(volumeId)}`, state: { dropletId, volumeId } };
  },
  async read(client, id, known) {
    // An import gives the ID only; the official provider has no importer for this type.
    const [, dropletPart = "", volumePart = ""] = /^(\d+)-(.+)$/.exec(id) ?? [];
    const dropletId = integer(known.dropletId ?? dropletPart);
    const volumeId = text(known.volumeId ?? volumePart);
    const found = await client.find<{ volume: ApiVolume }>(`/volumes/${volumeId}`);
    return found?.volume.droplet_ids?.includes(dropletId)
      ? { id, state: { dropletId, volumeId } }
      : undefined;
  },
  async delete(client, _id, state) {
    const [dropletId, volumeId] = [integer(state.dropletId), text(state.volumeId)];
    const found = await client.find<{ volume: ApiVolume }>(`/volumes/${volumeId}`);
    if (!found?.volume.droplet_ids?.includes(dropletId)) {
      return;
    }
    try {
      await change(client, "detach", dropletId, volumeId);
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
  },
};

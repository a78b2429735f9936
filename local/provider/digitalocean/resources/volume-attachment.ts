import type { ResourceType } from "../../framework/provider";
import { number, string } from "../../framework/schema";
import { integer, text } from "../../framework/values";
import { hasStatus, isNotFound, type ApiClient } from "../client";
import { act, until } from "../wait";
import type { ApiVolume } from "./volume";

/** Another action on the same Droplet or Volume: try again (P volume/resource_volume_attachment.go). */
const isBusy = (error: unknown): boolean =>
  hasStatus(error, 422) && /pending event/i.test((error as Error).message);

function change(
  client: ApiClient,
  type: "attach" | "detach",
  dropletId: number,
  volumeId: string,
): Promise<true> {
  return until(client, `Volume ${volumeId} to ${type}`, async () => {
    try {
      await act(client, `${type}ing Volume ${volumeId}`, `/volumes/${volumeId}/actions`, {
        type,
        droplet_id: dropletId,
      });
      return true;
    } catch (error) {
      if (isBusy(error)) {
        return undefined;
      }
      throw error;
    }
  });
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

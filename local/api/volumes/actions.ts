import { z } from "zod";
import { beginAction, type ActionRecord } from "../actions/model";
import type { Context } from "../context";
import { notFound, pendingEvent, unprocessable } from "../errors";
import { isPending } from "../droplets/model";
import type { VolumeRecord } from "./model";
import { volumesOf } from "./model";

/** https://docs.digitalocean.com/products/volumes/details/limits/ */
const maxPerDroplet = 15;

export const volumeAction = z.object({
  type: z.enum(["attach", "detach", "resize"], { error: "type must be attach, detach or resize" }),
  droplet_id: z.coerce.number().int().nullish(),
  volume_name: z.string().nullish(),
  region: z.string().nullish(),
  size_gigabytes: z.number().int().max(16_384).nullish(),
});

/** Checks the rules and begins an action on a Volume; call inside a transaction. */
export function beginVolumeAction(
  context: Context,
  volume: VolumeRecord,
  input: z.output<typeof volumeAction>,
): ActionRecord {
  const { store } = context;
  if (input.region && input.region !== volume.region)
    throw unprocessable("Volume is not in that region.");
  if (volume.busy) throw unprocessable("Volume already has a pending event.");
  const begin = (kind: string, type: string, dropletId: number | undefined, sizeGib?: number) => {
    store.volumes.put(volume.id, { ...volume, busy: true });
    return beginAction(
      context,
      kind,
      {
        volumeId: volume.id,
        ...(dropletId !== undefined && { dropletId }),
        ...(sizeGib && { sizeGib }),
      },
      {
        type,
        resourceId: null,
        resourceType: "backend",
        region: volume.region,
        volumeId: volume.id,
        dropletId,
      },
    );
  };

  if (input.type === "resize") {
    const size = input.size_gigabytes;
    if (!size) throw unprocessable("size_gigabytes is required");
    if (size <= volume.sizeGib)
      throw unprocessable("the new size must be larger than the current size of the volume");
    return begin("volume.resize", "resize", volume.dropletId, size);
  }

  const dropletId = input.droplet_id ?? volume.dropletId;
  const droplet = dropletId === undefined ? undefined : store.droplets.get(dropletId);
  if (!droplet) throw notFound("The Droplet you were accessing could not be found.");
  if (isPending(store, droplet)) throw pendingEvent();
  if (input.type === "detach") {
    if (volume.dropletId !== droplet.id) throw unprocessable("Attachment not found");
    return begin("volume.detach", "detach_volume", droplet.id);
  }
  if (volume.dropletId === droplet.id)
    throw unprocessable("This volume is already attached to that Droplet.");
  if (volume.dropletId !== undefined)
    throw unprocessable("Storage Volumes can only be attached to one Droplet at a time.");
  if (volume.region !== droplet.region)
    throw unprocessable("Droplet and Volume must be in the same region.");
  if (volumesOf(store, droplet.id).length >= maxPerDroplet)
    throw unprocessable(`A Droplet can have at most ${maxPerDroplet} volumes attached.`);
  return begin("volume.attach", "attach_volume", droplet.id);
}

import type { Context } from "../context";
import type { JobParams, Transition } from "../lifecycle";
import { volumeSpec, type VolumeRecord } from "./model";

const volumeOf = ({ store }: Context, { volumeId = "" }: JobParams): VolumeRecord => {
  const volume = store.volumes.get(volumeId);
  if (!volume) throw new Error(`Volume ${volumeId} is gone`);
  return volume;
};

const idle: Transition["fail"] = ({ store }, { volumeId = "" }) =>
  store.volumes.patch(volumeId, { busy: false });

/** Durations seen with DigitalOcean: an attachment takes seconds. */
export const volumeTransitions: Record<string, Transition> = {
  "volume.attach": {
    seconds: 5,
    perform: async (context, params) =>
      context.machines.attachVolume(volumeSpec(volumeOf(context, params)), params.dropletId ?? 0),
    finish: ({ store }, { volumeId = "", dropletId }) =>
      store.volumes.patch(volumeId, { dropletId, busy: false }),
    fail: idle,
  },
  "volume.detach": {
    seconds: 5,
    perform: async (context, params) =>
      context.machines.detachVolume(volumeSpec(volumeOf(context, params)), params.dropletId ?? 0),
    finish: ({ store }, { volumeId = "" }) =>
      store.volumes.patch(volumeId, { dropletId: undefined, busy: false }),
    fail: idle,
  },
  "volume.resize": {
    seconds: 3,
    perform: async (context, params) => {
      const volume = volumeOf(context, params);
      await context.machines.growVolume({
        ...volumeSpec(volume),
        sizeGib: params.sizeGib ?? volume.sizeGib,
      });
    },
    finish: ({ store }, { volumeId = "", sizeGib }) =>
      store.volumes.patch(volumeId, { ...(sizeGib && { sizeGib }), busy: false }),
    fail: idle,
  },
  "volume.delete": {
    seconds: 0,
    perform: async ({ machines }, { volumeId = "" }) => machines.deleteVolume(volumeId),
    finish: ({ store }, { volumeId = "" }) => store.volumes.remove(volumeId),
    fail: ({ store }, { volumeId = "" }) => store.volumes.patch(volumeId, { deleting: false }),
  },
};

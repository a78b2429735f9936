import { unassign } from "../projects/model";
import type { Context } from "../context";
import type { JobParams, Transition } from "../lifecycle";
import { sizeOf } from "../catalogue/sizes";
import { findImage } from "../images/model";
import { volumeSpec, volumesOf } from "../volumes/model";
import { vpcSpec } from "../vpcs/model";
import { dropletSpec, type DropletRecord } from "./model";

function dropletOf({ store }: Context, { dropletId = 0 }: JobParams): DropletRecord {
  const droplet = store.droplets.get(dropletId);
  if (!droplet) throw new Error(`Droplet ${dropletId} is gone`);
  return droplet;
}

const note: Transition["fail"] = ({ store }, { dropletId = 0 }, message) =>
  store.droplets.patch(dropletId, { failure: message });

const becomes =
  (changes: Partial<DropletRecord>): Transition["finish"] =>
  ({ store }, { dropletId = 0 }) =>
    store.droplets.patch(dropletId, { ...changes, failure: undefined });

/** A change of power, with the time DigitalOcean takes for it. */
const power = (
  seconds: number,
  method: "powerOn" | "powerOff" | "shutdown" | "reboot",
  status: DropletRecord["status"],
): Transition => ({
  seconds,
  perform: async ({ machines }, { dropletId = 0 }) => machines[method](dropletId),
  finish: becomes({ status }),
  fail: note,
});

/** Makes the body and everything it stands on; safe to repeat. */
async function createBody(context: Context, params: JobParams): Promise<void> {
  const { store, machines, network } = context;
  const droplet = dropletOf(context, params);
  const vpc = store.vpcs.get(droplet.vpcId);
  if (!vpc) throw new Error(`VPC ${droplet.vpcId} is gone`);
  await machines.createVpc(vpcSpec(vpc));
  // The Firewall is in force before the machine is.
  await network.sync();
  await machines.createDroplet(dropletSpec(store, droplet));
  for (const volume of volumesOf(store, droplet.id))
    await machines.attachVolume(volumeSpec(volume), droplet.id);
  await network.sync();
}

/** Droplets' states and what leads from one to the next. */
export const dropletTransitions: Record<string, Transition> = {
  "droplet.create": {
    seconds: 30,
    perform: createBody,
    finish: becomes({ status: "active" }),
    // Neither `new` nor `active`: clients stop waiting at once.
    fail: ({ store }, { dropletId = 0 }, message) =>
      store.droplets.patch(dropletId, { status: "off", failure: message }),
  },
  "droplet.destroy": {
    seconds: 10,
    perform: async (context, params) => {
      const { dropletId = 0 } = params;
      for (const volume of volumesOf(context.store, dropletId))
        await context.machines.detachVolume(volumeSpec(volume), dropletId);
      await context.machines.destroyDroplet(dropletId);
    },
    apply: ({ store }, { dropletId = 0 }) => {
      for (const { ip } of store.reservedIps.filter((each) => each.dropletId === dropletId))
        store.reservedIps.patch(ip, { dropletId: undefined });
      for (const { id } of volumesOf(store, dropletId))
        store.volumes.patch(id, { dropletId: undefined, busy: false });
      for (const firewall of store.firewalls.all())
        if (firewall.dropletIds.includes(dropletId))
          store.firewalls.put(firewall.id, {
            ...firewall,
            dropletIds: firewall.dropletIds.filter((id) => id !== dropletId),
          });
      store.droplets.remove(dropletId);
      unassign(store, `do:droplet:${dropletId}`);
    },
    fail: ({ store }, { dropletId = 0 }, message) =>
      store.droplets.patch(dropletId, { deleting: false, failure: message }),
  },
  "droplet.power_on": power(10, "powerOn", "active"),
  "droplet.power_off": power(5, "powerOff", "off"),
  "droplet.shutdown": power(15, "shutdown", "off"),
  "droplet.reboot": power(15, "reboot", "active"),
  "droplet.power_cycle": {
    seconds: 15,
    perform: async ({ machines }, { dropletId = 0 }) => {
      await machines.powerOff(dropletId);
      await machines.powerOn(dropletId);
    },
    finish: becomes({ status: "active" }),
    fail: note,
  },
  "droplet.resize": {
    seconds: 60,
    perform: async (context, params) => {
      const droplet = dropletOf(context, params);
      const { vcpus, memoryMib, diskGib } = sizeOf(params.size ?? droplet.size);
      await context.machines.resize(droplet.id, {
        vcpus,
        memoryMib,
        diskGib: params.disk ? diskGib : droplet.diskGib,
      });
    },
    finish: ({ store }, { dropletId = 0, size = "", disk }) =>
      store.droplets.patch(dropletId, {
        size,
        failure: undefined,
        ...(disk && { diskGib: sizeOf(size).diskGib }),
      }),
    fail: note,
  },
  "droplet.rebuild": {
    seconds: 60,
    perform: async (context, params) => {
      await context.machines.destroyDroplet(params.dropletId ?? 0);
      const image = findImage(context.store, params.imageId ?? 0);
      const baseImage = image?.base?.slug ?? image?.own?.baseSlug;
      if (image && baseImage)
        context.store.transaction(() =>
          context.store.droplets.patch(params.dropletId ?? 0, {
            baseImage,
            imageId: image.base?.id ?? image.own?.id ?? 0,
          }),
        );
      await createBody(context, params);
    },
    finish: becomes({ status: "active" }),
    fail: note,
  },
  "droplet.rename": {
    seconds: 1,
    finish: ({ store }, { dropletId = 0, name = "" }) => store.droplets.patch(dropletId, { name }),
  },
  "droplet.snapshot": {
    seconds: 60,
    finish: (context, params) => {
      const { store, now } = context;
      const droplet = dropletOf(context, params);
      const base = findImage(store, droplet.baseImage)?.base;
      const id = store.nextId("image");
      store.images.put(id, {
        id,
        name: params.name ?? `${droplet.name} ${now().toISOString()}`,
        type: "snapshot",
        distribution: base?.distribution ?? "Unknown",
        description: "",
        regions: [droplet.region],
        createdAt: now().toISOString(),
        minDiskGib: droplet.diskGib,
        sizeGigabytes: 2.4,
        tags: [],
        dropletId: droplet.id,
        baseSlug: droplet.baseImage,
      });
    },
  },
  /** Changes that the API records and no machine feels. */
  "droplet.note": { seconds: 1 },
};

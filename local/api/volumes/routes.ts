import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { actionView } from "../actions/model";
import { findRegion } from "../catalogue/regions";
import type { Context } from "../context";
import { conflict, notFound, unprocessable } from "../errors";
import { numericId, parse, tagList } from "../input";
import { paginate, type Query } from "../pagination";
import { assign, unassign } from "../projects/model";
import { snapshotView } from "../snapshots/model";
import { ensureTags, hasTag } from "../tags/model";
import { beginVolumeAction, volumeAction } from "./actions";
import { findVolume, volumeSpec, volumeView } from "./model";

interface VolumePath {
  Params: { volume: string };
}

/** https://docs.digitalocean.com/products/volumes/details/limits/ */
const maxSizeGib = 16_384;

const creation = z.object({
  name: z
    .string({ error: "name is required" })
    .regex(
      /^[a-z][a-z0-9-]{0,63}$/,
      "name must start with a lowercase letter and contain at most 64 lowercase letters, numbers and dashes",
    ),
  description: z.string().nullish(),
  size_gigabytes: z
    .number()
    .int()
    .min(1, "size_gigabytes must be at least 1")
    .max(maxSizeGib, `size_gigabytes must be at most ${maxSizeGib}`)
    .nullish(),
  region: z.string().nullish(),
  snapshot_id: z.string().nullish(),
  filesystem_type: z
    .enum(["ext4", "xfs", ""], { error: "filesystem_type is not supported: ext4 or xfs" })
    .nullish(),
  filesystem_label: z.string().max(16).nullish(),
  tags: tagList,
});

const snapshot = z.object({
  name: z.string({ error: "name is required" }).min(1, "name is required"),
  tags: tagList,
});

export function volumeRoutes(app: FastifyInstance, context: Context): void {
  const { store, machines, lifecycle, limits, now } = context;

  const find = (id: string) => {
    const volume = findVolume(store, id);
    if (!volume) throw notFound();
    return volume;
  };
  const findByQuery = (request: FastifyRequest) => {
    const { name, region } = request.query as Query;
    const volume = store.volumes.find(
      (each) => each.name === name && each.region === region && !each.deleting,
    );
    if (!volume) throw notFound();
    return volume;
  };

  app.get("/v2/volumes", (request) => {
    const { name, region, tag_name: tag } = request.query as Query;
    const volumes = store.volumes.filter(
      (each) =>
        !each.deleting &&
        (!name || each.name === name) &&
        (!region || each.region === region) &&
        (!tag || hasTag(each, tag)),
    );
    return paginate(request, "volumes", volumes.map(volumeView));
  });

  app.post("/v2/volumes", async (request, reply) => {
    const input = parse(creation, request.body);
    const volume = store.transaction(() => {
      const source = input.snapshot_id ? store.volumeSnapshots.get(input.snapshot_id) : undefined;
      if (input.snapshot_id && !source) throw notFound("snapshot not found");
      const region = input.region ?? source?.regions[0];
      if (!region || !findRegion(region)?.available) throw unprocessable("invalid region");
      const sizeGib = input.size_gigabytes ?? source?.sizeGib;
      if (!sizeGib) throw unprocessable("size_gigabytes is required");
      if (source && sizeGib < source.sizeGib)
        throw unprocessable("volume size must not be smaller than its snapshot");
      const volumes = store.volumes.all();
      if (volumes.some((each) => each.name === input.name && each.region === region))
        throw conflict("a volume with that name already exists in the region");
      if (volumes.length >= limits.volumes)
        throw unprocessable("failed to create volume: the volume limit of the account is reached");
      const record = {
        id: randomUUID(),
        name: input.name,
        description: input.description ?? "",
        region,
        sizeGib,
        filesystemType: input.filesystem_type || source?.filesystemType || undefined,
        filesystemLabel: input.filesystem_label ?? source?.filesystemLabel ?? "",
        tags: ensureTags(context, input.tags ?? []),
        dropletId: undefined,
        busy: false,
        deleting: false,
        createdAt: now().toISOString(),
      };
      store.volumes.put(record.id, record);
      assign(context, `do:volume:${record.id}`);
      return record;
    });
    try {
      await machines.createVolume(volumeSpec(volume));
    } catch (error) {
      store.transaction(() => {
        store.volumes.remove(volume.id);
        unassign(store, `do:volume:${volume.id}`);
      });
      throw error;
    }
    return reply.code(201).send({ volume: volumeView(volume) });
  });

  app.get<VolumePath>("/v2/volumes/:volume", ({ params }) => ({
    volume: volumeView(find(params.volume)),
  }));

  const remove = async (choose: () => ReturnType<typeof find>) => {
    const { settled } = lifecycle.commit(() => {
      const volume = choose();
      if (volume.dropletId !== undefined || volume.busy)
        throw conflict("A volume that's attached to a Droplet cannot be deleted.");
      store.volumes.put(volume.id, { ...volume, deleting: true });
      unassign(store, `do:volume:${volume.id}`);
      lifecycle.begin("volume.delete", { volumeId: volume.id });
    });
    await settled;
  };
  app.delete("/v2/volumes", async (request, reply) => {
    await remove(() => findByQuery(request));
    return reply.code(204).send();
  });
  app.delete<VolumePath>("/v2/volumes/:volume", async (request, reply) => {
    await remove(() => find(request.params.volume));
    return reply.code(204).send();
  });

  app.post("/v2/volumes/actions", (request, reply) => {
    const input = parse(volumeAction, request.body);
    const { value } = lifecycle.commit(() => {
      const volume = store.volumes.find(
        (each) =>
          each.name === input.volume_name &&
          (!input.region || each.region === input.region) &&
          !each.deleting,
      );
      if (!volume) throw notFound();
      return beginVolumeAction(context, volume, input);
    });
    return reply.code(202).send({ action: actionView(value) });
  });

  app.get<VolumePath>("/v2/volumes/:volume/actions", (request) => {
    const { id } = find(request.params.volume);
    const actions = store.actions.filter((action) => action.volumeId === id);
    return paginate(request, "actions", actions.reverse().map(actionView));
  });

  app.post<VolumePath>("/v2/volumes/:volume/actions", (request, reply) => {
    const input = parse(volumeAction, request.body);
    const { value } = lifecycle.commit(() =>
      beginVolumeAction(context, find(request.params.volume), input),
    );
    return reply.code(202).send({ action: actionView(value) });
  });

  app.get<{ Params: { volume: string; action: string } }>(
    "/v2/volumes/:volume/actions/:action",
    ({ params }) => {
      const { id } = find(params.volume);
      const action = store.actions.get(numericId(params.action));
      if (action?.volumeId !== id) throw notFound();
      return { action: actionView(action) };
    },
  );

  app.get<VolumePath>("/v2/volumes/:volume/snapshots", (request) => {
    const { id } = find(request.params.volume);
    const snapshots = store.volumeSnapshots.filter((each) => each.volumeId === id);
    return paginate(request, "snapshots", snapshots.map(snapshotView));
  });

  app.post<VolumePath>("/v2/volumes/:volume/snapshots", (request, reply) => {
    const input = parse(snapshot, request.body);
    const record = store.transaction(() => {
      const volume = find(request.params.volume);
      if (store.volumeSnapshots.find((each) => each.name === input.name))
        throw conflict("a snapshot with that name already exists");
      const created = {
        id: randomUUID(),
        name: input.name,
        volumeId: volume.id,
        regions: [volume.region],
        sizeGib: volume.sizeGib,
        filesystemType: volume.filesystemType,
        filesystemLabel: volume.filesystemLabel,
        tags: ensureTags(context, input.tags ?? []),
        createdAt: now().toISOString(),
      };
      store.volumeSnapshots.put(created.id, created);
      return created;
    });
    return reply.code(201).send({ snapshot: snapshotView(record) });
  });
}

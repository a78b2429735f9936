import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { timestamp, type Context } from "../context";
import { badRequest, notFound, pendingEvent } from "../errors";
import { numericId, parse } from "../input";
import { unassign } from "../projects/model";
import { beginDestroy } from "./destroy";
import { isPending } from "./model";
import { volumesOf } from "../volumes/model";
import type { DropletPath } from "./routes";

const ids = z.array(z.coerce.string()).nullish();
const selection = z.object({
  reserved_ips: ids,
  floating_ips: ids,
  snapshots: ids,
  volumes: ids,
  volume_snapshots: ids,
});

interface Chosen {
  readonly reserved_ips: readonly string[];
  readonly floating_ips: readonly string[];
  readonly snapshots: readonly string[];
  readonly volumes: readonly string[];
  readonly volume_snapshots: readonly string[];
}

/** What happened to a Droplet that was destroyed together with what hung on it. */
interface Outcome {
  readonly droplet: { readonly id: string; readonly name: string };
  readonly resources: Chosen;
  readonly destroyedAt: string;
}

const noCost = "0.00";

/** Destroying a Droplet with its Reserved IP, Volumes and snapshots. */
export function associatedRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, network, now } = context;
  const path = "/v2/droplets/:droplet/destroy_with_associated_resources";

  const find = (text: string) => {
    const droplet = store.droplets.get(numericId(text));
    if (!droplet) throw notFound();
    return droplet;
  };

  const associated = (dropletId: number): Chosen => {
    const volumes = volumesOf(store, dropletId).map(({ id }) => id);
    const ips = store.reservedIps.filter((each) => each.dropletId === dropletId);
    return {
      reserved_ips: ips.map(({ ip }) => ip),
      floating_ips: [],
      snapshots: store.images
        .filter((image) => image.dropletId === dropletId)
        .map(({ id }) => String(id)),
      volumes,
      volume_snapshots: store.volumeSnapshots
        .filter((each) => volumes.includes(each.volumeId))
        .map(({ id }) => id),
    };
  };

  const nameOf = (kind: keyof Chosen, id: string): string =>
    (kind === "volumes"
      ? store.volumes.get(id)?.name
      : kind === "volume_snapshots"
        ? store.volumeSnapshots.get(id)?.name
        : kind === "snapshots"
          ? store.images.get(Number(id))?.name
          : id) ?? id;

  const each = <T>(chosen: Chosen, view: (kind: keyof Chosen, id: string) => T) =>
    Object.fromEntries(
      (Object.keys(chosen) as (keyof Chosen)[]).map((kind) => [
        kind,
        chosen[kind].map((id) => view(kind, id)),
      ]),
    );

  const destroy = async (text: string, choose: (all: Chosen) => Chosen): Promise<void> => {
    const { value, settled } = lifecycle.commit(() => {
      const droplet = find(text);
      if (isPending(store, droplet)) throw pendingEvent();
      const chosen = choose(associated(droplet.id));
      beginDestroy(context, droplet);
      return { droplet, chosen };
    });
    await settled;
    const { droplet, chosen } = value;
    const volumes = lifecycle.commit(() => {
      for (const ip of [...chosen.reserved_ips, ...chosen.floating_ips]) {
        store.reservedIps.remove(ip);
        unassign(store, `do:floatingip:${ip}`);
      }
      for (const id of chosen.snapshots) store.images.remove(Number(id));
      for (const id of chosen.volume_snapshots) store.volumeSnapshots.remove(id);
      for (const id of chosen.volumes) {
        store.volumes.patch(id, { deleting: true });
        unassign(store, `do:volume:${id}`);
        lifecycle.begin("volume.delete", { volumeId: id });
      }
      const outcome: Outcome = {
        droplet: { id: String(droplet.id), name: droplet.name },
        resources: chosen,
        destroyedAt: timestamp(now()),
      };
      store.setSetting(`destroyed-${droplet.id}`, outcome);
    });
    await volumes.settled;
    await network.sync();
  };

  app.get<DropletPath>(path, ({ params }) =>
    each(associated(find(params.droplet).id), (kind, id) => ({
      id,
      name: nameOf(kind, id),
      cost: noCost,
    })),
  );

  app.delete<DropletPath>(`${path}/selective`, async (request, reply) => {
    const input = parse(selection, request.body);
    await destroy(request.params.droplet, (all) => ({
      reserved_ips: all.reserved_ips.filter(
        (ip) => input.reserved_ips?.includes(ip) || input.floating_ips?.includes(ip),
      ),
      floating_ips: [],
      snapshots: all.snapshots.filter((id) => input.snapshots?.includes(id)),
      volumes: all.volumes.filter((id) => input.volumes?.includes(id)),
      volume_snapshots: all.volume_snapshots.filter((id) => input.volume_snapshots?.includes(id)),
    }));
    return reply.code(202).send();
  });

  app.delete<DropletPath>(`${path}/dangerous`, async (request, reply) => {
    if (request.headers["x-dangerous"] !== "true")
      throw badRequest("The X-Dangerous header must be set to true");
    await destroy(request.params.droplet, (all) => all);
    return reply.code(202).send();
  });

  const outcomeOf = (text: string): Outcome => {
    const outcome = store.setting<Outcome>(`destroyed-${numericId(text)}`);
    if (!outcome) throw notFound();
    return outcome;
  };

  app.get<DropletPath>(`${path}/status`, ({ params }) => {
    const { droplet, resources, destroyedAt } = outcomeOf(params.droplet);
    return {
      droplet: { ...droplet, destroyed_at: destroyedAt, error_message: "" },
      resources: each(resources, (_kind, id) => ({
        id,
        name: id,
        destroyed_at: destroyedAt,
        error_message: "",
      })),
      completed_at: destroyedAt,
      failures: 0,
    };
  });

  // What failed was answered with an error at once; a retry finds nothing left to do.
  app.post<DropletPath>(`${path}/retry`, (request, reply) => {
    outcomeOf(request.params.droplet);
    return reply.code(202).send();
  });
}

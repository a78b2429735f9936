import type { FastifyInstance, FastifyRequest } from "fastify";
import { actionView } from "../actions/model";
import type { Context } from "../context";
import { badRequest, notFound, pendingEvent } from "../errors";
import { firewallsOf, firewallView } from "../firewalls/model";
import { numericId, parse } from "../input";
import { paginate, type Query } from "../pagination";
import { imageSnapshotView } from "../snapshots/model";
import { hasTag } from "../tags/model";
import { baseUrl } from "../urls";
import { beginDropletAction, dropletAction } from "./actions";
import { createDroplets, dropletCreation } from "./create";
import { beginDestroy } from "./destroy";
import { type DropletRecord, isPending } from "./model";
import { dropletView, nextBackupWindow, relatedToDroplets } from "./view";

export interface DropletPath {
  Params: { droplet: string };
}

export function dropletRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, now } = context;

  const find = (id: string): DropletRecord => {
    const droplet = store.droplets.get(numericId(id));
    if (!droplet) throw notFound();
    return droplet;
  };
  const tagged = (request: FastifyRequest): DropletRecord[] => {
    const tag = (request.query as Query)["tag_name"];
    if (!tag) throw badRequest("tag_name is required");
    return store.droplets.filter((droplet) => hasTag(droplet, tag));
  };

  app.get("/v2/droplets", (request) => {
    const { tag_name: tag, name, type } = request.query as Query;
    const droplets = store.droplets.filter(
      (droplet) =>
        (!tag || hasTag(droplet, tag)) &&
        (!name || droplet.name.toLowerCase() === name.toLowerCase()) &&
        type !== "gpus",
    );
    const page = paginate(request, "droplets", droplets);
    const related = relatedToDroplets(store);
    return { ...page, droplets: page.droplets.map((each) => dropletView(store, each, related)) };
  });

  app.post("/v2/droplets", (request, reply) => {
    const input = parse(dropletCreation, request.body);
    const { value } = lifecycle.commit(() => createDroplets(context, input));
    const related = relatedToDroplets(store);
    const views = value.map(({ droplet }) => dropletView(store, droplet, related));
    const links = {
      actions: value.map(({ action }) => ({
        id: action.id,
        rel: "create",
        href: `${baseUrl(request)}/v2/actions/${action.id}`,
      })),
    };
    return reply
      .code(202)
      .send(input.names ? { droplets: views, links } : { droplet: views[0], links });
  });

  /** Begins to destroy; once over, the Droplet is gone (404). Call inside a transaction. */
  const destroy = (droplet: DropletRecord) => {
    if (droplet.deleting) return;
    if (isPending(store, droplet)) throw pendingEvent();
    beginDestroy(context, droplet);
  };
  /** Without waits a Droplet is gone when its deletion is acknowledged, so that its VPC can follow. */
  const destroyed = async (settled: Promise<void>) => {
    if (lifecycle.scale === 0) await settled;
  };

  app.delete("/v2/droplets", async (request, reply) => {
    const { settled } = lifecycle.commit(() => tagged(request).forEach(destroy));
    await destroyed(settled);
    return reply.code(204).send();
  });

  app.get<DropletPath>("/v2/droplets/:droplet", ({ params }) => ({
    droplet: dropletView(store, find(params.droplet)),
  }));

  app.delete<DropletPath>("/v2/droplets/:droplet", async (request, reply) => {
    const { settled } = lifecycle.commit(() => destroy(find(request.params.droplet)));
    await destroyed(settled);
    return reply.code(204).send();
  });

  app.get<DropletPath>("/v2/droplets/:droplet/actions", (request) => {
    const { id } = find(request.params.droplet);
    const actions = store.actions.filter((action) => action.dropletId === id);
    return paginate(request, "actions", actions.reverse().map(actionView));
  });

  app.post<DropletPath>("/v2/droplets/:droplet/actions", (request, reply) => {
    const input = parse(dropletAction, request.body);
    const { value } = lifecycle.commit(() =>
      beginDropletAction(context, find(request.params.droplet), input),
    );
    return reply.code(201).send({ action: actionView(value) });
  });

  app.post("/v2/droplets/actions", (request, reply) => {
    const input = parse(dropletAction, request.body);
    const { value } = lifecycle.commit(() =>
      tagged(request).map((droplet) => beginDropletAction(context, droplet, input)),
    );
    return reply.code(201).send({ actions: value.map(actionView) });
  });

  app.get<{ Params: { droplet: string; action: string } }>(
    "/v2/droplets/:droplet/actions/:action",
    ({ params }) => {
      const action = store.actions.get(numericId(params.action));
      if (action?.dropletId !== numericId(params.droplet)) throw notFound();
      return { action: actionView(action) };
    },
  );

  app.get<DropletPath>("/v2/droplets/:droplet/firewalls", (request) => {
    const droplet = find(request.params.droplet);
    return paginate(request, "firewalls", firewallsOf(store, droplet).map(firewallView));
  });

  app.get<DropletPath>("/v2/droplets/:droplet/snapshots", (request) => {
    const { id } = find(request.params.droplet);
    const images = store.images.filter(
      (image) => image.dropletId === id && image.type === "snapshot",
    );
    return paginate(
      request,
      "snapshots",
      images.map((image) => {
        const {
          resource_id: _id,
          resource_type: _type,
          tags: _tags,
          ...view
        } = imageSnapshotView(image);
        return { ...view, id: image.id, type: "snapshot" };
      }),
    );
  });

  // A local Droplet has no kernel of its own, is never backed up by DigitalOcean, and shares its host.
  app.get<DropletPath>("/v2/droplets/:droplet/kernels", (request) => {
    find(request.params.droplet);
    return paginate(request, "kernels", []);
  });
  app.get<DropletPath>("/v2/droplets/:droplet/backups", (request) => {
    find(request.params.droplet);
    return paginate(request, "backups", []);
  });
  app.get<DropletPath>("/v2/droplets/:droplet/neighbors", ({ params }) => {
    find(params.droplet);
    return { droplets: [] };
  });
  app.get("/v2/reports/droplet_neighbors_ids", () => ({ neighbor_ids: [] }));

  const policyView = (droplet: DropletRecord) => ({
    droplet_id: droplet.id,
    backup_enabled: droplet.backupPolicy !== undefined,
    ...(droplet.backupPolicy && {
      backup_policy: {
        plan: droplet.backupPolicy.plan,
        ...(droplet.backupPolicy.weekday && { weekday: droplet.backupPolicy.weekday }),
        hour: droplet.backupPolicy.hour,
        window_length_hours: 4,
        retention_period_days: droplet.backupPolicy.plan === "daily" ? 7 : 28,
      },
      next_backup_window: nextBackupWindow(droplet.backupPolicy, now()),
    }),
  });
  app.get<DropletPath>("/v2/droplets/:droplet/backups/policy", ({ params }) => ({
    policy: policyView(find(params.droplet)),
  }));
  app.get("/v2/droplets/backups/policies", (request) => {
    const { policies, ...rest } = paginate(
      request,
      "policies",
      store.droplets.filter((droplet) => droplet.backupPolicy !== undefined).map(policyView),
    );
    return {
      policies: Object.fromEntries(policies.map((policy) => [policy.droplet_id, policy])),
      ...rest,
    };
  });
  app.get("/v2/droplets/backups/supported_policies", () => ({
    supported_policies: ["weekly", "daily"].map((name) => ({
      name,
      possible_window_starts: [0, 4, 8, 12, 16, 20],
      window_length_hours: 4,
      retention_period_days: name === "daily" ? 7 : 28,
      possible_days: name === "daily" ? [] : ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    })),
  }));
}

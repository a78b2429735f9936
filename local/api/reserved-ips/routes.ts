import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { actionView, beginAction, type ActionRecord } from "../actions/model";
import { findRegion } from "../catalogue/regions";
import type { Context } from "../context";
import { badRequest, notFound, pendingEvent, unprocessable } from "../errors";
import { isPending } from "../droplets/model";
import { numericId, parse } from "../input";
import { paginate } from "../pagination";
import { assign, unassign } from "../projects/model";
import { baseUrl } from "../urls";
import { addressId, reservedIpView, takePublicAddress } from "./model";

interface IpPath {
  Params: { ip: string };
}

const creation = z.object({
  region: z.string().nullish(),
  droplet_id: z.coerce.number().int().nullish(),
  project_id: z.string().nullish(),
});

const ipAction = z.object({
  type: z.enum(["assign", "unassign"], { error: "type must be assign or unassign" }),
  droplet_id: z.coerce.number().int().nullish(),
});

/** Reserved IPs, and the same under their old name of floating IPs. */
export function reservedIpRoutes(app: FastifyInstance, context: Context): void {
  register(app, context, "/v2/reserved_ips", "reserved_ip");
  register(app, context, "/v2/floating_ips", "floating_ip");
}

function register(
  app: FastifyInstance,
  context: Context,
  path: string,
  noun: "reserved_ip" | "floating_ip",
): void {
  const { store, lifecycle, network, limits, now } = context;

  const find = (ip: string) => {
    const record = store.reservedIps.get(ip);
    if (!record) throw notFound();
    return record;
  };
  const view = (ip: string) => reservedIpView(store, find(ip));

  const beginAssign = (ip: string, dropletId: number): ActionRecord => {
    const record = find(ip);
    const droplet = store.droplets.get(dropletId);
    if (!droplet) throw unprocessable("The Droplet you specified does not exist.");
    if (droplet.region !== record.region)
      throw unprocessable("The Reserved IP and the Droplet must be in the same region.");
    if (record.locked) throw unprocessable("The Reserved IP already has a pending event.");
    if (record.dropletId === dropletId)
      throw unprocessable("The Reserved IP is already assigned to this Droplet.");
    if (store.reservedIps.find((each) => each.dropletId === dropletId && each.ip !== ip))
      throw unprocessable("The Droplet already has a Reserved IP.");
    if (isPending(store, droplet)) throw pendingEvent();
    store.reservedIps.put(ip, { ...record, locked: true });
    return beginAction(
      context,
      "reserved-ip.assign",
      { ip, dropletId },
      {
        type: "assign_ip",
        resourceId: addressId(ip),
        resourceType: noun,
        region: record.region,
        ip,
        dropletId,
      },
    );
  };

  const beginUnassign = (ip: string): ActionRecord => {
    const record = find(ip);
    if (record.locked) throw unprocessable("The Reserved IP already has a pending event.");
    if (record.dropletId === undefined)
      throw unprocessable("The Reserved IP is not assigned to a Droplet.");
    store.reservedIps.put(ip, { ...record, locked: true });
    return beginAction(
      context,
      "reserved-ip.unassign",
      { ip },
      {
        type: "unassign_ip",
        resourceId: addressId(ip),
        resourceType: noun,
        region: record.region,
        ip,
        dropletId: record.dropletId,
      },
    );
  };

  app.get(path, (request) =>
    paginate(
      request,
      `${noun}s`,
      store.reservedIps.all().map((record) => reservedIpView(store, record)),
    ),
  );

  app.post(path, (request, reply) => {
    const input = parse(creation, request.body);
    const { value } = lifecycle.commit(() => {
      const droplet = input.droplet_id ? store.droplets.get(input.droplet_id) : undefined;
      if (input.droplet_id && !droplet)
        throw unprocessable("The Droplet you specified does not exist.");
      const region = droplet?.region ?? input.region;
      if (!region) throw badRequest("either droplet_id or region is required");
      if (!findRegion(region)?.available) throw unprocessable("Region is invalid.");
      if (input.project_id && !store.projects.get(input.project_id))
        throw unprocessable("Project is invalid.");
      if (store.reservedIps.count() >= limits.reservedIps)
        throw unprocessable("You have reached your Reserved IP limit.");
      const ip = takePublicAddress(context);
      store.reservedIps.put(ip, {
        ip,
        region,
        dropletId: undefined,
        locked: false,
        createdAt: now().toISOString(),
      });
      assign(context, `do:floatingip:${ip}`, input.project_id ?? undefined);
      return { ip, droplet, action: droplet && beginAssign(ip, droplet.id) };
    });
    const { ip, droplet, action } = value;
    const base = baseUrl(request);
    const links =
      droplet && action
        ? {
            droplets: [
              { id: droplet.id, rel: "droplet", href: `${base}/v2/droplets/${droplet.id}` },
            ],
            actions: [{ id: action.id, rel: "assign_ip", href: `${base}/v2/actions/${action.id}` }],
          }
        : {};
    return reply.code(202).send({ [noun]: view(ip), links });
  });

  app.get<IpPath>(`${path}/:ip`, ({ params }) => ({ [noun]: view(params.ip) }));

  app.delete<IpPath>(`${path}/:ip`, async (request, reply) => {
    store.transaction(() => {
      const record = find(request.params.ip);
      if (record.locked) throw unprocessable("The Reserved IP already has a pending event.");
      store.reservedIps.remove(record.ip);
      unassign(store, `do:floatingip:${record.ip}`);
    });
    await network.sync();
    return reply.code(204).send();
  });

  app.get<IpPath>(`${path}/:ip/actions`, (request) => {
    const { ip } = find(request.params.ip);
    const actions = store.actions.filter((action) => action.ip === ip);
    return paginate(request, "actions", actions.reverse().map(actionView));
  });

  app.post<IpPath>(`${path}/:ip/actions`, (request, reply) => {
    const input = parse(ipAction, request.body);
    const { value } = lifecycle.commit(() => {
      if (input.type === "unassign") return beginUnassign(request.params.ip);
      if (!input.droplet_id) throw unprocessable("droplet_id is required");
      return beginAssign(request.params.ip, input.droplet_id);
    });
    return reply.code(201).send({ action: actionView(value) });
  });

  app.get<{ Params: { ip: string; action: string } }>(
    `${path}/:ip/actions/:action`,
    ({ params }) => {
      const { ip } = find(params.ip);
      const action = store.actions.get(numericId(params.action));
      if (action?.ip !== ip) throw notFound();
      return { action: actionView(action) };
    },
  );
}

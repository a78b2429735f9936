import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { conflict, forbidden, notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate } from "../pagination";
import { assign, unassign } from "../projects/model";
import { takePublicAddress } from "../reserved-ips/model";
import { takePrivateAddress } from "../vpcs/private-address";
import {
  findGlobal,
  type GlobalLoadBalancerRecord,
  globalView,
  readGlobal,
  syncGlobalNames,
} from "./global";
import { readLoadBalancer, requireDroplets } from "./input";
import {
  findLoadBalancer,
  loadBalancerUrn,
  loadBalancerView,
  type LoadBalancerRecord,
  syncNames,
} from "./model";
import { readRules, rulesInput } from "./rules";

interface BalancerPath {
  Params: { balancer: string };
}

const dropletsInput = z.object({ droplet_ids: z.array(z.number().int()).min(1) });

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Load-Balancers */
export function loadBalancerRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, network, now } = context;
  const path = "/v2/load_balancers";

  const find = (id: string): LoadBalancerRecord => {
    const balancer = findLoadBalancer(store, id);
    if (!balancer) throw notFound();
    return balancer;
  };
  const view = (id: string) => {
    const global = findGlobal(store, id);
    return {
      load_balancer: global ? globalView(store, global) : loadBalancerView(store, find(id)),
    };
  };
  const living = <T extends { readonly deleting: boolean }>(all: readonly T[]) =>
    all.filter(({ deleting }) => !deleting);
  const refuseSameName = (wanted: string, id?: string) => {
    const all = [...living(store.loadBalancers.all()), ...living(store.globalLoadBalancers.all())];
    if (all.some((each) => each.name === wanted && each.id !== id))
      throw conflict("a load balancer with this name exists already");
  };
  const isGlobal = (body: unknown) => (body as { type?: unknown } | undefined)?.type === "GLOBAL";

  app.get(path, (request) =>
    paginate(request, "load_balancers", [
      ...living(store.loadBalancers.all()).map((each) => loadBalancerView(store, each)),
      ...living(store.globalLoadBalancers.all()).map((each) => globalView(store, each)),
    ]),
  );

  const createGlobal = (body: unknown): string => {
    const { projectId, ...input } = readGlobal(store, body);
    refuseSameName(input.name);
    const balancer: GlobalLoadBalancerRecord = {
      ...input,
      id: randomUUID(),
      publicIp: takePublicAddress(context),
      dnsRecordIds: [],
      status: "new",
      deleting: false,
      createdAt: now().toISOString(),
    };
    store.globalLoadBalancers.put(balancer.id, balancer);
    assign(context, loadBalancerUrn(balancer), projectId);
    lifecycle.begin("load-balancer.create-global", { loadBalancerId: balancer.id });
    return balancer.id;
  };

  app.post(path, (request, reply) => {
    const { value: id } = lifecycle.commit(() => {
      if (isGlobal(request.body)) return createGlobal(request.body);
      const { projectId, ...input } = readLoadBalancer(context, request.body);
      refuseSameName(input.name);
      const balancer: LoadBalancerRecord = {
        ...input,
        id: randomUUID(),
        privateIp: takePrivateAddress(context, input.vpcId),
        publicIp: input.network === "INTERNAL" ? undefined : takePublicAddress(context),
        dnsRecordIds: [],
        status: "new",
        deleting: false,
        createdAt: now().toISOString(),
      };
      store.loadBalancers.put(balancer.id, balancer);
      assign(context, loadBalancerUrn(balancer), projectId);
      lifecycle.begin("load-balancer.create", { loadBalancerId: balancer.id });
      return balancer.id;
    });
    return reply.code(202).send(view(id));
  });

  app.get<BalancerPath>(`${path}/:balancer`, ({ params }) => view(params.balancer));

  const change = async (id: string, changed: (before: LoadBalancerRecord) => object) => {
    store.transaction(() => {
      const before = find(id);
      if (before.status === "new")
        throw forbidden("Load Balancer can't be updated while it processes previous actions");
      store.loadBalancers.put(id, { ...before, ...changed(before) });
      syncNames(store, id);
    });
    await network.sync();
  };

  const changeGlobal = async (id: string, body: unknown) => {
    store.transaction(() => {
      const { projectId, ...input } = readGlobal(store, body);
      refuseSameName(input.name, id);
      store.globalLoadBalancers.patch(id, input);
      if (projectId) assign(context, loadBalancerUrn({ id }), projectId);
      syncGlobalNames(store, id);
    });
    await network.sync();
  };

  app.put<BalancerPath>(`${path}/:balancer`, async ({ params, body }) => {
    if (findGlobal(store, params.balancer)) await changeGlobal(params.balancer, body);
    else
      await change(params.balancer, (before) => {
        const { projectId, ...input } = readLoadBalancer(context, body, before);
        refuseSameName(input.name, before.id);
        if (projectId) assign(context, loadBalancerUrn(before), projectId);
        return input;
      });
    return view(params.balancer);
  });

  app.delete<BalancerPath>(`${path}/:balancer`, async (request, reply) => {
    lifecycle.commit(() => {
      const global = findGlobal(store, request.params.balancer);
      const { id } = global ?? find(request.params.balancer);
      if (global) store.globalLoadBalancers.patch(id, { deleting: true });
      else store.loadBalancers.patch(id, { deleting: true });
      unassign(store, loadBalancerUrn({ id }));
      for (const each of store.globalLoadBalancers.all())
        if (each.targetIds.includes(id))
          store.globalLoadBalancers.patch(each.id, {
            targetIds: each.targetIds.filter((target) => target !== id),
          });
      lifecycle.begin(global ? "load-balancer.delete-global" : "load-balancer.delete", {
        loadBalancerId: id,
      });
    });
    // DigitalOcean answers before it is gone: its VPC cannot be deleted for some seconds (FACTS 10).
    return reply.code(204).send();
  });

  app.delete<BalancerPath>(`${path}/:balancer/cache`, (request, reply) => {
    if (!findGlobal(store, request.params.balancer)) {
      find(request.params.balancer);
      throw unprocessable("only global load balancers have a cache");
    }
    return reply.code(204).send();
  });

  const byDroplets = (before: LoadBalancerRecord, body: unknown) => {
    if (before.tag !== undefined)
      throw unprocessable("droplets of a load balancer with a tag cannot be changed");
    return requireDroplets(store, before.vpcId, parse(dropletsInput, body).droplet_ids);
  };
  app.post<BalancerPath>(`${path}/:balancer/droplets`, async (request, reply) => {
    await change(request.params.balancer, (before) => ({
      dropletIds: [...new Set([...before.dropletIds, ...byDroplets(before, request.body)])],
    }));
    return reply.code(204).send();
  });
  app.delete<BalancerPath>(`${path}/:balancer/droplets`, async (request, reply) => {
    await change(request.params.balancer, (before) => {
      const gone = byDroplets(before, request.body);
      return { dropletIds: before.dropletIds.filter((id) => !gone.includes(id)) };
    });
    return reply.code(204).send();
  });

  app.post<BalancerPath>(`${path}/:balancer/forwarding_rules`, async (request, reply) => {
    await change(request.params.balancer, (before) => {
      const added = readRules(store, parse(rulesInput, request.body));
      if (added.some(({ entryPort }) => before.rules.some((each) => each.entryPort === entryPort)))
        throw unprocessable("forwarding rules must not have duplicate entry ports");
      return { rules: [...before.rules, ...added] };
    });
    return reply.code(204).send();
  });
  app.delete<BalancerPath>(`${path}/:balancer/forwarding_rules`, async (request, reply) => {
    await change(request.params.balancer, (before) => {
      const gone = readRules(store, parse(rulesInput, request.body));
      const rules = before.rules.filter(
        ({ entryPort }) => !gone.some((each) => each.entryPort === entryPort),
      );
      if (rules.length === 0)
        throw unprocessable("a load balancer must have at least one forwarding rule");
      return { rules };
    });
    return reply.code(204).send();
  });
}

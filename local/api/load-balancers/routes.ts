import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { conflict, notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate } from "../pagination";
import { assign, unassign } from "../projects/model";
import { takePublicAddress } from "../reserved-ips/model";
import { takePrivateAddress } from "../vpcs/private-address";
import { readLoadBalancer, readRules, requireDroplets, rulesInput } from "./input";
import {
  findLoadBalancer,
  loadBalancerUrn,
  loadBalancerView,
  type LoadBalancerRecord,
} from "./model";

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
  const view = (id: string) => ({ load_balancer: loadBalancerView(store, find(id)) });

  app.get(path, (request) =>
    paginate(
      request,
      "load_balancers",
      store.loadBalancers
        .filter(({ deleting }) => !deleting)
        .map((balancer) => loadBalancerView(store, balancer)),
    ),
  );

  app.post(path, (request, reply) => {
    const { value: id } = lifecycle.commit(() => {
      const { projectId, ...input } = readLoadBalancer(context, request.body);
      if (store.loadBalancers.find(({ name, deleting }) => !deleting && name === input.name))
        throw conflict("a load balancer with this name exists already");
      const balancer: LoadBalancerRecord = {
        ...input,
        id: randomUUID(),
        privateIp: takePrivateAddress(context, input.vpcId),
        publicIp: takePublicAddress(context),
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
      store.loadBalancers.put(id, { ...before, ...changed(before) });
    });
    await network.sync();
  };

  app.put<BalancerPath>(`${path}/:balancer`, async ({ params, body }) => {
    await change(params.balancer, (before) => {
      const { projectId: _projectId, ...input } = readLoadBalancer(context, body, before);
      return input;
    });
    return view(params.balancer);
  });

  app.delete<BalancerPath>(`${path}/:balancer`, async (request, reply) => {
    lifecycle.commit(() => {
      const balancer = find(request.params.balancer);
      store.loadBalancers.put(balancer.id, { ...balancer, deleting: true });
      unassign(store, loadBalancerUrn(balancer));
      lifecycle.begin("load-balancer.delete", { loadBalancerId: balancer.id });
    });
    // DigitalOcean answers before it is gone: its VPC cannot be deleted for some seconds (FACTS 10).
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
      const added = readRules(parse(rulesInput, request.body));
      if (added.some(({ entryPort }) => before.rules.some((each) => each.entryPort === entryPort)))
        throw unprocessable("forwarding rules must not have duplicate entry ports");
      return { rules: [...before.rules, ...added] };
    });
    return reply.code(204).send();
  });
  app.delete<BalancerPath>(`${path}/:balancer/forwarding_rules`, async (request, reply) => {
    await change(request.params.balancer, (before) => {
      const gone = readRules(parse(rulesInput, request.body));
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

import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { conflict, notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate, type Query } from "../pagination";
import { findVpc } from "../vpcs/model";
import { peeringView, type VpcPeeringRecord } from "./model";

interface PeeringPath {
  Params: { peering: string };
}
interface VpcPath {
  Params: { vpc: string };
}
interface VpcPeeringPath {
  Params: { vpc: string; peering: string };
}

const name = z
  .string({ error: "name is required" })
  .regex(/^[a-zA-Z0-9\-.]+$/, "name may only contain alphanumeric characters, dashes, and periods")
  .max(255);

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/VPC-Peerings */
export function vpcPeeringRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, now } = context;
  const path = "/v2/vpc_peerings";

  const find = (id: string): VpcPeeringRecord => {
    const peering = store.vpcPeerings.get(id);
    if (!peering) throw notFound();
    return peering;
  };
  const requireVpc = (id: string) => {
    const vpc = findVpc(store, id);
    if (!vpc) throw notFound();
    return vpc;
  };

  const create = (wanted: string, vpcIds: readonly string[]): VpcPeeringRecord => {
    const { value } = lifecycle.commit(() => {
      const [one, other] = [...new Set(vpcIds)];
      if (vpcIds.length !== 2 || one === undefined || other === undefined)
        throw unprocessable("vpc_ids must be two different VPCs");
      for (const id of [one, other])
        if (!findVpc(store, id)) throw unprocessable(`VPC ${id} does not exist`);
      const all = store.vpcPeerings.all();
      if (all.some((each) => each.name === wanted)) throw conflict("VPC peering name is taken");
      if (all.some((each) => each.vpcIds.includes(one) && each.vpcIds.includes(other)))
        throw conflict("the VPCs are peered already");
      const peering: VpcPeeringRecord = {
        id: randomUUID(),
        name: wanted,
        vpcIds: [one, other],
        status: "PROVISIONING",
        createdAt: now().toISOString(),
      };
      store.vpcPeerings.put(peering.id, peering);
      lifecycle.begin("vpc-peering.create", { peeringId: peering.id });
      return peering;
    });
    return value;
  };
  const rename = (id: string, body: unknown): VpcPeeringRecord => {
    const input = parse(z.object({ name }), body);
    return store.transaction(() => {
      const before = find(id);
      if (store.vpcPeerings.find((each) => each.name === input.name && each.id !== id))
        throw conflict("VPC peering name is taken");
      const after = { ...before, name: input.name };
      store.vpcPeerings.put(id, after);
      return after;
    });
  };

  app.get(path, (request) => {
    const { region } = request.query as Query;
    const found = store.vpcPeerings.filter(
      ({ vpcIds }) => !region || vpcIds.some((id) => store.vpcs.get(id)?.region === region),
    );
    return paginate(request, "vpc_peerings", found.map(peeringView));
  });
  app.post(path, (request, reply) => {
    const input = parse(z.object({ name, vpc_ids: z.array(z.string()) }), request.body);
    return reply.code(202).send({ vpc_peering: peeringView(create(input.name, input.vpc_ids)) });
  });
  app.get<PeeringPath>(`${path}/:peering`, ({ params }) => ({
    vpc_peering: peeringView(find(params.peering)),
  }));
  app.patch<PeeringPath>(`${path}/:peering`, ({ params, body }) => ({
    vpc_peering: peeringView(rename(params.peering, body)),
  }));
  app.delete<PeeringPath>(`${path}/:peering`, (request, reply) => {
    const { value } = lifecycle.commit(() => {
      const { id, status } = find(request.params.peering);
      store.vpcPeerings.patch(id, { status: "DELETING" });
      if (status !== "DELETING") lifecycle.begin("vpc-peering.delete", { peeringId: id });
      return find(id);
    });
    return reply.code(202).send({ vpc_peering: peeringView(value) });
  });

  app.get<VpcPath>("/v2/vpcs/:vpc/peerings", (request) => {
    const { id } = requireVpc(request.params.vpc);
    const found = store.vpcPeerings.filter(({ vpcIds }) => vpcIds.includes(id));
    return paginate(request, "peerings", found.map(peeringView));
  });
  app.post<VpcPath>("/v2/vpcs/:vpc/peerings", (request, reply) => {
    const { id } = requireVpc(request.params.vpc);
    const input = parse(z.object({ name, vpc_id: z.string() }), request.body);
    return reply.code(202).send({ peering: peeringView(create(input.name, [id, input.vpc_id])) });
  });
  app.patch<VpcPeeringPath>("/v2/vpcs/:vpc/peerings/:peering", ({ params, body }) => {
    const { id } = requireVpc(params.vpc);
    const { peering } = params;
    if (!find(peering).vpcIds.includes(id)) throw notFound();
    return { peering: peeringView(rename(peering, body)) };
  });
}

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { RangeTaken } from "../../machines/machines";
import { findRegion } from "../catalogue/regions";
import { timestamp, type Context } from "../context";
import { forbidden, notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { databaseUrn } from "../databases/model";
import { loadBalancerUrn } from "../load-balancers/model";
import { natGatewayUrn } from "../nat-gateways/model";
import { paginate, type Query } from "../pagination";
import { addVpc, findVpc, vpcSpec, vpcView } from "./model";

interface VpcPath {
  Params: { vpc: string };
}

const name = z
  .string({ error: "name is required" })
  .regex(/^[a-zA-Z0-9\-.]+$/, "name may only contain alphanumeric characters, dashes, and periods")
  .max(255);

const creation = z.object({
  name,
  region: z.string({ error: "region is required" }),
  description: z.string().max(255).nullish(),
  ip_range: z.string().nullish(),
});

const change = z.object({
  name: name.optional(),
  description: z.string().max(255).nullish(),
  default: z.boolean().nullish(),
});

export function vpcRoutes(app: FastifyInstance, context: Context): void {
  const { store, machines, network, lifecycle } = context;

  const find = (id: string) => {
    const vpc = findVpc(store, id);
    if (!vpc) throw notFound();
    return vpc;
  };
  const refuseSameName = (wanted: string, id?: string) => {
    if (store.vpcs.find((each) => each.name === wanted && each.id !== id))
      throw unprocessable("VPC name already exists in your account");
  };
  const members = (id: string) => [
    ...store.droplets
      .filter(({ vpcId }) => vpcId === id)
      .map((droplet) => ({ type: "droplet", urn: `do:droplet:${droplet.id}`, ...droplet })),
    ...store.loadBalancers
      .filter(({ vpcId }) => vpcId === id)
      .map((balancer) => ({ type: "load_balancer", urn: loadBalancerUrn(balancer), ...balancer })),
    ...store.databases
      .filter(({ vpcId }) => vpcId === id)
      .map((database) => ({ type: "database", urn: databaseUrn(database), ...database })),
    ...store.natGateways
      .filter(({ vpcs }) => vpcs.some(({ vpcId }) => vpcId === id))
      .map((gateway) => ({ type: "vpc_nat_gateway", urn: natGatewayUrn(gateway), ...gateway })),
  ];

  app.get("/v2/vpcs", (request) =>
    paginate(request, "vpcs", store.vpcs.filter((vpc) => !vpc.deleting).map(vpcView)),
  );

  app.post("/v2/vpcs", async (request, reply) => {
    const input = parse(creation, request.body);
    if (!findRegion(input.region)?.available) throw unprocessable("region is invalid");
    const vpc = store.transaction(() => {
      refuseSameName(input.name);
      return addVpc(context, {
        name: input.name,
        region: input.region,
        description: input.description ?? "",
        ...(input.ip_range && { ipRange: input.ip_range }),
      });
    });
    try {
      await machines.createVpc(vpcSpec(vpc));
      await network.sync();
    } catch (error) {
      store.transaction(() => store.vpcs.remove(vpc.id));
      throw error instanceof RangeTaken ? unprocessable(error.message) : error;
    }
    return reply.code(201).send({ vpc: vpcView(vpc) });
  });

  app.get<VpcPath>("/v2/vpcs/:vpc", ({ params }) => ({ vpc: vpcView(find(params.vpc)) }));

  const update = (id: string, body: unknown) => {
    const input = parse(change, body);
    return store.transaction(() => {
      const vpc = find(id);
      if (input.name !== undefined) refuseSameName(input.name, vpc.id);
      if (input.default === true)
        for (const other of store.vpcs.filter(
          (each) => each.region === vpc.region && each.isDefault,
        ))
          store.vpcs.patch(other.id, { isDefault: false });
      store.vpcs.put(vpc.id, {
        ...vpc,
        name: input.name ?? vpc.name,
        description: input.description ?? vpc.description,
        isDefault: vpc.isDefault || input.default === true,
      });
      return { vpc: vpcView(find(vpc.id)) };
    });
  };
  app.put<VpcPath>("/v2/vpcs/:vpc", ({ params, body }) => update(params.vpc, body));
  app.patch<VpcPath>("/v2/vpcs/:vpc", ({ params, body }) => update(params.vpc, body));

  app.delete<VpcPath>("/v2/vpcs/:vpc", async (request, reply) => {
    const { settled } = lifecycle.commit(() => {
      const vpc = find(request.params.vpc);
      if (members(vpc.id).length > 0) throw forbidden("Can not delete VPC with members");
      if (store.vpcPeerings.find(({ vpcIds }) => vpcIds.includes(vpc.id)))
        throw forbidden("Can not delete VPC with peerings");
      if (vpc.isDefault) throw forbidden("Can not delete default VPCs");
      store.vpcs.put(vpc.id, { ...vpc, deleting: true });
      lifecycle.begin("vpc.delete", { vpcId: vpc.id });
    });
    await settled;
    await network.sync();
    return reply.code(204).send();
  });

  app.get<VpcPath>("/v2/vpcs/:vpc/members", (request) => {
    const { id } = find(request.params.vpc);
    const type = (request.query as Query)["resource_type"];
    const found = members(id).filter((member) => !type || member.type === type);
    return paginate(
      request,
      "members",
      found.map(({ urn, name, createdAt }) => ({
        urn,
        name,
        created_at: timestamp(new Date(createdAt)),
      })),
    );
  });
}

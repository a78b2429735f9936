import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { findRegion } from "../catalogue/regions";
import type { Context } from "../context";
import { conflict, notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate, type Query } from "../pagination";
import { assign, unassign } from "../projects/model";
import { takePublicAddress } from "../reserved-ips/model";
import { findVpc } from "../vpcs/model";
import { takePrivateAddress } from "../vpcs/private-address";
import { type NatGatewayRecord, natGatewayUrn, natGatewayView } from "./model";

interface GatewayPath {
  Params: { gateway: string };
}

const seconds = z.number().int().min(1).nullish();

const changeInput = z.object({
  name: z
    .string({ error: "name is required" })
    .regex(/^[a-zA-Z0-9-]+$/, "name may only contain letters, digits and dashes")
    .max(255),
  size: z.number({ error: "size is required" }).int().min(1).max(200),
  udp_timeout_seconds: seconds,
  icmp_timeout_seconds: seconds,
  tcp_timeout_seconds: seconds,
});

const creation = changeInput.extend({
  type: z.enum(["PUBLIC"], { error: "type must be PUBLIC" }),
  region: z.string({ error: "region is required" }),
  vpcs: z
    .array(z.object({ vpc_uuid: z.string(), default_gateway: z.boolean().nullish() }))
    .min(1, "vpcs must name a VPC"),
  project_id: z.string().nullish(),
});

const timeouts = (input: z.output<typeof changeInput>) => ({
  udpTimeoutSeconds: input.udp_timeout_seconds ?? 30,
  icmpTimeoutSeconds: input.icmp_timeout_seconds ?? 30,
  tcpTimeoutSeconds: input.tcp_timeout_seconds ?? 300,
});

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/VPC-NAT-Gateways */
export function natGatewayRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, now } = context;
  const path = "/v2/vpc_nat_gateways";

  const find = (id: string): NatGatewayRecord => {
    const gateway = store.natGateways.get(id);
    // DigitalOcean's provider takes it for gone by these words (P vpcnatgateway/resource_vpc_nat_gateway.go).
    if (!gateway) throw notFound(`nat gateway with id ${id} not found`);
    return gateway;
  };
  const refuseSameName = (wanted: string, id?: string) => {
    if (store.natGateways.find((each) => each.name === wanted && each.id !== id))
      throw conflict("a VPC NAT gateway with this name exists already");
  };
  const joinVpc = (
    region: string,
    { vpc_uuid: id, default_gateway: isDefault }: z.output<typeof creation>["vpcs"][number],
  ): NatGatewayRecord["vpcs"][number] => {
    const vpc = findVpc(store, id);
    if (!vpc) throw unprocessable(`vpcs: VPC ${id} does not exist`);
    if (vpc.region !== region) throw unprocessable(`vpcs: VPC ${id} is in another region`);
    const hasDefault = store.natGateways.find(({ vpcs }) =>
      vpcs.some((each) => each.vpcId === id && each.isDefault),
    );
    if (isDefault && hasDefault)
      throw unprocessable(`vpcs: VPC ${id} has a default gateway already`);
    return {
      vpcId: id,
      gatewayIp: takePrivateAddress(context, id),
      isDefault: isDefault ?? false,
    };
  };

  app.get(path, (request) => {
    const { state, region, name } = request.query as Query;
    const found = store.natGateways.filter(
      (each) =>
        (!state || each.state === state) &&
        (!region || each.region === region) &&
        (!name || each.name === name),
    );
    return paginate(
      request,
      "vpc_nat_gateways",
      found.map((each) => natGatewayView(store, each)),
    );
  });

  app.post(path, (request, reply) => {
    const input = parse(creation, request.body);
    const { value } = lifecycle.commit(() => {
      if (!findRegion(input.region)?.available) throw unprocessable("region is invalid");
      refuseSameName(input.name);
      const at = now().toISOString();
      const gateway: NatGatewayRecord = {
        id: randomUUID(),
        name: input.name,
        region: input.region,
        size: input.size,
        vpcs: input.vpcs.map((each) => joinVpc(input.region, each)),
        publicIp: takePublicAddress(context),
        ...timeouts(input),
        state: "NEW",
        isOpen: false,
        createdAt: at,
        updatedAt: at,
      };
      store.natGateways.put(gateway.id, gateway);
      assign(context, natGatewayUrn(gateway), input.project_id ?? undefined);
      lifecycle.begin("nat-gateway.create", { gatewayId: gateway.id });
      return gateway;
    });
    return reply.code(202).send({ vpc_nat_gateway: natGatewayView(store, value) });
  });

  app.get<GatewayPath>(`${path}/:gateway`, ({ params }) => ({
    vpc_nat_gateway: natGatewayView(store, find(params.gateway)),
  }));

  app.put<GatewayPath>(`${path}/:gateway`, ({ params, body }) => {
    const input = parse(changeInput, body);
    store.transaction(() => {
      const { id } = find(params.gateway);
      refuseSameName(input.name, id);
      store.natGateways.patch(id, {
        name: input.name,
        size: input.size,
        ...timeouts(input),
        updatedAt: now().toISOString(),
      });
    });
    return { vpc_nat_gateway: natGatewayView(store, find(params.gateway)) };
  });

  app.delete<GatewayPath>(`${path}/:gateway`, (request, reply) => {
    lifecycle.commit(() => {
      const { id, state } = find(request.params.gateway);
      if (state === "DELETING") return;
      store.natGateways.patch(id, { state: "DELETING" });
      unassign(store, natGatewayUrn({ id }));
      lifecycle.begin("nat-gateway.delete", { gatewayId: id });
    });
    return reply.code(202).send();
  });
}

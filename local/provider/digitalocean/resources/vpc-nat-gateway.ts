import type { ResourceType } from "../../framework/provider";
import { boolean, number, object, set, string } from "../../framework/schema";
import { isZero, items, members, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { fromApi, goTime } from "../spelling";
import { until } from "../wait";

interface ApiGateway {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly region: string;
  readonly size: number;
  readonly vpcs: readonly object[] | null;
  readonly egresses?: { readonly public_gateways?: readonly { readonly ipv4: string }[] } | null;
  readonly udp_timeout_seconds?: number;
  readonly icmp_timeout_seconds?: number;
  readonly tcp_timeout_seconds?: number;
  readonly project_id?: string;
  readonly created_at: string;
  readonly updated_at: string;
}

type Answer = { readonly vpc_nat_gateway: ApiGateway };

/** P vpcnatgateway/resource_vpc_nat_gateway.go: Create and Delete. */
const WAIT_MS = 15 * 60 * 1000;

const path = (id: string): string => `/vpc_nat_gateways/${id}`;

const request = (inputs: Values): Values => ({
  name: inputs.name,
  type: inputs.type,
  region: inputs.region,
  size: inputs.size,
  ...(isZero(inputs.udpTimeoutSeconds) ? {} : { udp_timeout_seconds: inputs.udpTimeoutSeconds }),
  ...(isZero(inputs.icmpTimeoutSeconds) ? {} : { icmp_timeout_seconds: inputs.icmpTimeoutSeconds }),
  ...(isZero(inputs.tcpTimeoutSeconds) ? {} : { tcp_timeout_seconds: inputs.tcpTimeoutSeconds }),
});

const existing = ({ vpc_nat_gateway: gateway }: Answer) => ({
  id: gateway.id,
  state: {
    name: gateway.name,
    type: gateway.type,
    state: gateway.state,
    region: gateway.region,
    size: gateway.size,
    vpcs: (gateway.vpcs ?? []).map(fromApi),
    egresses: gateway.egresses ? [fromApi(gateway.egresses)] : [],
    udpTimeoutSeconds: gateway.udp_timeout_seconds ?? 0,
    icmpTimeoutSeconds: gateway.icmp_timeout_seconds ?? 0,
    tcpTimeoutSeconds: gateway.tcp_timeout_seconds ?? 0,
    projectId: gateway.project_id ?? "",
    createdAt: goTime(gateway.created_at),
    updatedAt: goTime(gateway.updated_at),
  },
});

/** A way out of VPCs for Droplets without a public address. */
export const vpcNatGateway: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    type: string({ required: true }),
    region: string({ required: true }),
    size: number({ required: true }),
    vpcs: set(
      object({
        vpcUuid: string({ required: true, replace: true }),
        subnetUuid: string({ replace: true }),
        defaultGateway: boolean(),
        gatewayIp: string({ readOnly: true }),
      }),
      { required: true },
    ),
    udpTimeoutSeconds: number({ computed: true }),
    icmpTimeoutSeconds: number({ computed: true }),
    tcpTimeoutSeconds: number({ computed: true }),
    projectId: string({ computed: true }),
  },
  outputs: ["state", "egresses", "createdAt", "updatedAt"],
  autoname: true,
  async create(client, inputs, creation) {
    const { vpc_nat_gateway: made } = await client.post<Answer>("/vpc_nat_gateways", {
      ...request(inputs),
      ...(inputs.projectId ? { project_id: inputs.projectId } : {}),
      vpcs: items(inputs.vpcs)
        .map(members)
        .map(({ vpcUuid, subnetUuid, defaultGateway }) => ({
          vpc_uuid: vpcUuid,
          default_gateway: defaultGateway === true,
          ...(subnetUuid ? { subnet_uuid: subnetUuid } : {}),
        })),
    });
    creation.exists(made.id);
    return existing(
      await until(
        client,
        `VPC NAT gateway ${made.name} to become active`,
        async () => {
          const now = await client.get<Answer>(path(made.id));
          return now.vpc_nat_gateway.state === "ACTIVE" ? now : undefined;
        },
        WAIT_MS,
      ),
    );
  },
  async read(client, id) {
    const found = await client.find<Answer>(path(id));
    return found && existing(found);
  },
  async update(client, id, { planned }) {
    await client.put(path(id), request(planned));
    return existing(await client.get<Answer>(path(id)));
  },
  async delete(client, id) {
    await client.remove(path(id));
    await until(
      client,
      `VPC NAT gateway ${id} to be deleted`,
      async () => ((await client.find(path(id))) ? undefined : true),
      WAIT_MS,
    );
  },
};

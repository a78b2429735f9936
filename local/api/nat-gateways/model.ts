import { timestamp } from "../context";
import type { Transition } from "../lifecycle";
import { projectOf } from "../projects/model";
import type { Store } from "../store";

/**
 * A way out of VPCs. It has no body: Droplets without a public address reach what stands for the world (registries, Spaces, and what
 * is outside this machine where that is allowed) while the default one of their VPC is open, and are cut off else.
 */
export interface NatGatewayRecord {
  readonly id: string;
  readonly name: string;
  /** Slug. */
  readonly region: string;
  readonly size: number;
  readonly vpcs: readonly {
    readonly vpcId: string;
    readonly gatewayIp: string;
    /** Whether the VPC's Droplets take it unasked. */
    readonly isDefault: boolean;
  }[];
  readonly publicIp: string;
  readonly udpTimeoutSeconds: number;
  readonly icmpTimeoutSeconds: number;
  readonly tcpTimeoutSeconds: number;
  readonly state: "NEW" | "ACTIVE" | "DELETING";
  /** Whether packets pass. */
  readonly isOpen: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const natGatewayUrn = ({ id }: Pick<NatGatewayRecord, "id">) => `do:vpcnatgateway:${id}`;

export const natGatewayView = (store: Store, gateway: NatGatewayRecord) => ({
  id: gateway.id,
  name: gateway.name,
  type: "PUBLIC",
  state: gateway.state,
  region: gateway.region,
  size: gateway.size,
  vpcs: gateway.vpcs.map(({ vpcId, gatewayIp, isDefault }) => ({
    vpc_uuid: vpcId,
    gateway_ip: gatewayIp,
    default_gateway: isDefault,
  })),
  egresses: {
    public_gateways: gateway.state === "NEW" ? [] : [{ ipv4: gateway.publicIp }],
  },
  udp_timeout_seconds: gateway.udpTimeoutSeconds,
  icmp_timeout_seconds: gateway.icmpTimeoutSeconds,
  tcp_timeout_seconds: gateway.tcpTimeoutSeconds,
  project_id: projectOf(store, natGatewayUrn(gateway)),
  created_at: timestamp(new Date(gateway.createdAt)),
  updated_at: timestamp(new Date(gateway.updatedAt)),
});

export const natGatewayTransitions: Record<string, Transition> = {
  "nat-gateway.create": {
    seconds: 120,
    apply: ({ store }, { gatewayId = "" }) => store.natGateways.patch(gatewayId, { isOpen: true }),
    finish: ({ store }, { gatewayId = "" }) =>
      store.natGateways.patch(gatewayId, { state: "ACTIVE" }),
  },
  "nat-gateway.delete": {
    seconds: 30,
    apply: ({ store }, { gatewayId = "" }) => store.natGateways.patch(gatewayId, { isOpen: false }),
    finish: ({ store }, { gatewayId = "" }) => store.natGateways.remove(gatewayId),
  },
};

import type { CheckFailure } from "../../framework/check";
import type { ResourceType } from "../../framework/provider";
import { number, object, set, string, type Field } from "../../framework/schema";
import { items, members, text, texts, UNKNOWN, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { tagSet } from "../tags";

interface ApiPeers {
  readonly addresses?: readonly string[] | null;
  readonly droplet_ids?: readonly number[] | null;
  readonly load_balancer_uids?: readonly string[] | null;
  readonly kubernetes_ids?: readonly string[] | null;
  readonly tags?: readonly string[] | null;
}

interface ApiRule {
  readonly protocol: string;
  readonly ports?: string;
  readonly sources?: ApiPeers;
  readonly destinations?: ApiPeers;
}

interface ApiFirewall {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly created_at: string;
  readonly droplet_ids: readonly number[] | null;
  readonly tags: readonly string[] | null;
  readonly inbound_rules: readonly ApiRule[] | null;
  readonly outbound_rules: readonly ApiRule[] | null;
  readonly pending_changes:
    readonly { droplet_id: number; removing: boolean; status: string }[] | null;
}

type Side = "source" | "destination";

const rules = (side: Side): Field =>
  set(
    object({
      protocol: string({ required: true }),
      portRange: string(),
      [`${side}Addresses`]: set(string()),
      [`${side}DropletIds`]: set(number()),
      [`${side}KubernetesIds`]: set(string()),
      [`${side}LoadBalancerUids`]: set(string()),
      [`${side}Tags`]: tagSet(),
    }),
  );

/** Pulumi's rule as the API's. A rule without ports must be `all` there, but for ICMP. */
function toApi(side: Side, rule: Values): ApiRule {
  const peers: ApiPeers = {
    addresses: texts(rule[`${side}Addresses`]),
    droplet_ids: items(rule[`${side}DropletIds`]) as number[],
    load_balancer_uids: texts(rule[`${side}LoadBalancerUids`]),
    kubernetes_ids: texts(rule[`${side}KubernetesIds`]),
    tags: texts(rule[`${side}Tags`]),
  };
  return {
    protocol: text(rule.protocol),
    ...(rule.portRange ? { ports: text(rule.portRange) } : {}),
    ...(side === "source" ? { sources: peers } : { destinations: peers }),
  };
}

/** The API's `0` means all ports, or nothing for ICMP (P firewall/firewalls.go:250-259). */
function fromApi(side: Side, rule: ApiRule): Values {
  const peers = rule.sources ?? rule.destinations ?? {};
  const filled = (values: readonly unknown[] | null | undefined): unknown =>
    values?.length ? values : undefined;
  const all = rule.ports === "0" || rule.ports === undefined;
  return {
    protocol: rule.protocol,
    portRange: !all ? rule.ports : rule.protocol === "icmp" ? undefined : "all",
    [`${side}Addresses`]: filled(peers.addresses),
    [`${side}DropletIds`]: filled(peers.droplet_ids),
    [`${side}LoadBalancerUids`]: filled(peers.load_balancer_uids),
    [`${side}KubernetesIds`]: filled(peers.kubernetes_ids),
    [`${side}Tags`]: filled(peers.tags),
  };
}

const request = (inputs: Values) => ({
  name: inputs.name,
  droplet_ids: items(inputs.dropletIds),
  tags: texts(inputs.tags),
  inbound_rules: items(inputs.inboundRules).map((rule) => toApi("source", members(rule))),
  outbound_rules: items(inputs.outboundRules).map((rule) => toApi("destination", members(rule))),
});

const existing = (firewall: ApiFirewall) => ({
  id: firewall.id,
  state: {
    name: firewall.name,
    status: firewall.status,
    createdAt: firewall.created_at,
    dropletIds: firewall.droplet_ids ?? [],
    tags: firewall.tags ?? [],
    inboundRules: (firewall.inbound_rules ?? []).map((rule) => fromApi("source", rule)),
    outboundRules: (firewall.outbound_rules ?? []).map((rule) => fromApi("destination", rule)),
    pendingChanges: (firewall.pending_changes ?? []).map((change) => ({
      dropletId: change.droplet_id,
      removing: change.removing,
      status: change.status,
    })),
  },
});

/** P firewall/resource_firewall.go: a TCP or UDP rule needs ports; there must be a rule at all. */
function faults(inputs: Values): CheckFailure[] {
  if (items(inputs.inboundRules).length + items(inputs.outboundRules).length === 0) {
    const unknown = inputs.inboundRules === UNKNOWN || inputs.outboundRules === UNKNOWN;
    return unknown
      ? []
      : [{ property: "inboundRules", reason: "At least one rule must be specified" }];
  }
  return (["inboundRules", "outboundRules"] as const).flatMap((property) =>
    items(inputs[property]).flatMap((rule, index): CheckFailure[] => {
      const { protocol, portRange } = members(rule);
      return portRange === undefined && (protocol === "tcp" || protocol === "udp")
        ? [
            {
              property: `${property}[${index}]`,
              reason:
                "`port_range` of " +
                (property === "inboundRules" ? "inbound" : "outbound") +
                " rules is required if protocol is `tcp` or `udp`",
            },
          ]
        : [];
    }),
  );
}

export const firewall: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    dropletIds: set(number()),
    tags: tagSet(),
    inboundRules: rules("source"),
    outboundRules: rules("destination"),
  },
  outputs: ["status", "createdAt", "pendingChanges"],
  autoname: true,
  validate: faults,
  async create(client, inputs) {
    const made = await client.post<{ firewall: ApiFirewall }>("/firewalls", request(inputs));
    return existing(made.firewall);
  },
  async read(client, id) {
    const found = await client.find<{ firewall: ApiFirewall }>(`/firewalls/${id}`);
    return found && existing(found.firewall);
  },
  async update(client, id, { news }) {
    const updated = await client.put<{ firewall: ApiFirewall }>(`/firewalls/${id}`, request(news));
    return existing(updated.firewall);
  },
  delete: (client, id) => client.remove(`/firewalls/${id}`),
};

import { isIP } from "node:net";
import { z } from "zod";
import { badRequest, unprocessable } from "../errors";
import { findLoadBalancer } from "../load-balancers/model";
import type { Store } from "../store";
import { requireTags } from "../tags/model";
import type { FirewallRule } from "./model";

const peers = z
  .object({
    addresses: z.array(z.string()).nullish(),
    droplet_ids: z.array(z.number().int()).nullish(),
    load_balancer_uids: z.array(z.string()).nullish(),
    kubernetes_ids: z.array(z.string()).nullish(),
    tags: z.array(z.string()).nullish(),
  })
  .nullish();

const rule = {
  protocol: z.enum(["tcp", "udp", "icmp"], { error: "protocol must be tcp, udp or icmp" }),
  ports: z.union([z.string(), z.number()]).nullish(),
};

export const ruleInput = {
  inbound_rules: z.array(z.object({ ...rule, sources: peers })).nullish(),
  outbound_rules: z.array(z.object({ ...rule, destinations: peers })).nullish(),
};

/**
 * Ports as DigitalOcean keeps them: `0` for all (given as `0`, `all` or nothing), `80`, `8000-9000`.
 *
 * @throws {ApiError} 400 for anything else, or a port outside 1 to 65535.
 */
export function normalisePorts(
  protocol: string,
  given: string | number | null | undefined,
): string {
  const text = String(given ?? "").trim();
  if (protocol === "icmp" || text === "0" || text === "all") return "0";
  if (text === "") throw badRequest("ports is required for the tcp and udp protocols");
  const [first = "", last = first, ...rest] = text.split("-");
  const low = Number(first);
  const high = Number(last);
  const valid = (port: string, value: number) =>
    /^\d+$/.test(port) && value >= 1 && value <= 65_535;
  if (rest.length > 0 || !valid(first, low) || !valid(last, high) || low > high)
    throw badRequest(`ports must be a port or a range of ports from 1 to 65535, got ${text}`);
  return low === high ? String(low) : `${low}-${high}`;
}

function checkAddress(address: string): string {
  const [ip = "", prefix, ...rest] = address.split("/");
  const version = isIP(ip);
  const bits = version === 4 ? 32 : 128;
  if (
    version === 0 ||
    rest.length > 0 ||
    (prefix !== undefined && (!/^\d+$/.test(prefix) || Number(prefix) > bits))
  )
    throw badRequest(`invalid IP address or CIDR: ${address}`);
  return address;
}

function toRule(
  store: Store,
  protocol: FirewallRule["protocol"],
  ports: string | number | null | undefined,
  given: z.output<typeof peers>,
): FirewallRule {
  for (const id of given?.droplet_ids ?? [])
    if (!store.droplets.get(id)) throw unprocessable(`droplet ${id} does not exist`);
  for (const id of given?.load_balancer_uids ?? [])
    if (!findLoadBalancer(store, id)) throw unprocessable(`load balancer ${id} does not exist`);
  for (const id of given?.kubernetes_ids ?? [])
    throw unprocessable(`kubernetes cluster ${id} does not exist`);
  return {
    protocol,
    ports: normalisePorts(protocol, ports),
    peers: {
      addresses: (given?.addresses ?? []).map(checkAddress),
      dropletIds: given?.droplet_ids ?? [],
      loadBalancerIds: given?.load_balancer_uids ?? [],
      tags: requireTags(store, given?.tags ?? []),
    },
  };
}

type Rules = z.output<z.ZodObject<typeof ruleInput>>;

export const inboundRules = (store: Store, { inbound_rules: rules }: Rules): FirewallRule[] =>
  (rules ?? []).map(({ protocol, ports, sources }) => toRule(store, protocol, ports, sources));

export const outboundRules = (store: Store, { outbound_rules: rules }: Rules): FirewallRule[] =>
  (rules ?? []).map(({ protocol, ports, destinations }) =>
    toRule(store, protocol, ports, destinations),
  );

/** Whether two rules say the same, in whatever order. */
export function sameRule(a: FirewallRule, b: FirewallRule): boolean {
  const sorted = (rule: FirewallRule) =>
    JSON.stringify([
      rule.protocol,
      rule.ports,
      [...rule.peers.addresses].sort(),
      [...rule.peers.dropletIds].sort(),
      [...rule.peers.loadBalancerIds].sort(),
      [...rule.peers.tags].sort(),
    ]);
  return sorted(a) === sorted(b);
}

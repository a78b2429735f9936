import type { DropletRecord } from "../droplets/model";
import { timestamp } from "../context";
import type { Store } from "../store";
import { hasTag } from "../tags/model";

/** Where traffic comes from, or goes to. */
export interface Peers {
  /** IPv4 and IPv6 addresses and CIDRs. */
  readonly addresses: readonly string[];
  readonly dropletIds: readonly number[];
  readonly loadBalancerIds: readonly string[];
  readonly tags: readonly string[];
}

export interface FirewallRule {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** `0` = all, else `80` or `8000-9000`. */
  readonly ports: string;
  readonly peers: Peers;
}

export interface FirewallRecord {
  readonly id: string;
  readonly name: string;
  readonly inbound: readonly FirewallRule[];
  readonly outbound: readonly FirewallRule[];
  readonly dropletIds: readonly number[];
  readonly tags: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
}

/** The Droplets a Firewall is on, by id or by tag. */
export const appliesTo = (firewall: FirewallRecord, droplet: DropletRecord): boolean =>
  firewall.dropletIds.includes(droplet.id) || firewall.tags.some((tag) => hasTag(droplet, tag));

export const firewallsOf = (store: Store, droplet: DropletRecord) =>
  store.firewalls.filter((firewall) => appliesTo(firewall, droplet));

const peersView = ({ addresses, dropletIds, loadBalancerIds, tags }: Peers) => ({
  ...(addresses.length > 0 && { addresses }),
  ...(dropletIds.length > 0 && { droplet_ids: dropletIds }),
  ...(loadBalancerIds.length > 0 && { load_balancer_uids: loadBalancerIds }),
  ...(tags.length > 0 && { tags }),
});

export const firewallView = (firewall: FirewallRecord) => ({
  id: firewall.id,
  name: firewall.name,
  // Rules are in force before a change is acknowledged.
  status: "succeeded",
  inbound_rules: firewall.inbound.map(({ protocol, ports, peers }) => ({
    protocol,
    ports,
    sources: peersView(peers),
  })),
  outbound_rules: firewall.outbound.map(({ protocol, ports, peers }) => ({
    protocol,
    ports,
    destinations: peersView(peers),
  })),
  created_at: timestamp(new Date(firewall.createdAt)),
  droplet_ids: firewall.dropletIds,
  tags: firewall.tags,
  pending_changes: [],
});

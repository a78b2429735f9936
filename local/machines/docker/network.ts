import type { FirewallRuleSpec, NetworkSpec } from "../machines";
import { disjoint } from "./cidrs";
import { bridgeName, bridgePrefix, tableName } from "./names";
import type { ServicePorts } from "./services";

/** Clients' loopback addresses appear to Droplets here, 127.a.b.c as 247.a.b.c: nobody routes class E. */
export const CLIENT_RANGE = "247.0.0.0/8";

/**
 * Link-local address at which Droplets find the registry mirror, on the port that the machine image knows, a
 * name server, the account's registry and its buckets.
 */
export const SERVICE_ADDRESS = "169.254.169.253";
const MIRROR_PORT = 5000;
/** The S3 server's own default. */
export const SPACES_PORT = 7070;
/** The port that Pebble's documentation uses. */
export const ACME_PORT = 14_000;
const METADATA_ADDRESS = "169.254.169.254";
/** What Docker gives containers on its default network where the machine's own resolver is a loopback one. */
const FALLBACK_RESOLVERS = ["8.8.8.8", "8.8.4.4"];

/** What the rules need beyond the API's view. */
export interface NetworkOptions {
  /** Six hex characters. */
  readonly instance: string;
  readonly services: ServicePorts;
  /** Whether Droplets may open connections to the world outside this machine. */
  readonly egress: "deny" | "allow";
  /**
   * IPv4 CIDR of all public addresses: those that lead nowhere swallow packets instead of reaching this
   * machine's own services.
   * @default none
   */
  readonly publicPool?: string;
  /**
   * Loopback port of an ACME server for Droplets.
   * @default 0: there is none
   */
  readonly acmePort?: number;
  /**
   * Loopback port of the account's registry.
   * @default there is none
   */
  readonly registryPort?: number | undefined;
  /**
   * Loopback port of the account's S3 server.
   * @default there is none
   */
  readonly spacesPort?: number | undefined;
}

/**
 * The whole of an instance's packet rules as nft input that replaces the former ones in one transaction.
 *
 * Cloud Firewall semantics: a Droplet with no Firewall is open; with one or more, only what some rule allows
 * passes, and only TCP, UDP and ICMP; rules are stateful and judge a client by its original 127.x address.
 * https://docs.digitalocean.com/products/networking/firewalls/
 */
export function renderNetwork(network: NetworkSpec, options: NetworkOptions): string {
  const table = tableName(options.instance);
  const bridges = `"${bridgePrefix(options.instance)}*"`;
  const firewalled = firewalledDroplets(network);
  const guarded = guardedAddresses(network);
  const subnets = network.vpcs.map(({ ipRange }) => ipRange);
  const cutOff = network.droplets.filter(({ isCutOff }) => isCutOff);
  const fromCutOff = `ip saddr { ${cutOff.map(({ privateIp }) => privateIp).join(", ")} }`;
  return [
    `add table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    ...elements(
      "map public",
      "ipv4_addr : ipv4_addr",
      [...leadsTo(network)].map(([address, ip]) => `${address} : ${ip}`),
    ),
    ...elements("map inbound", "ipv4_addr : verdict", [
      ...firewalled.map(({ id, ip }) => `${ip} : jump in-${id}`),
      ...guarded.map(({ name, ip }) => `${ip} : jump ${name}`),
    ]),
    ...elements(
      "map outbound",
      "ipv4_addr : verdict",
      firewalled.map(({ id, ip }) => `${ip} : jump out-${id}`),
    ),
    ...firewalled.flatMap(({ id, inbound, outbound }) => [
      ...chain(`in-${id}`, [...inbound.flatMap((rule) => ruleLines(rule, "saddr")), "drop"]),
      ...chain(`out-${id}`, [...outbound.flatMap((rule) => ruleLines(rule, "daddr")), "drop"]),
    ]),
    ...guarded.flatMap(({ name, inbound }) =>
      chain(name, [...inbound.flatMap((rule) => ruleLines(rule, "saddr")), "drop"]),
    ),
    // Loopback addresses on the wire are forged: ours never leave the machine.
    ...chain("raw", [
      "type filter hook prerouting priority -300",
      `iifname ${bridges} ip daddr 127.0.0.0/8 drop`,
    ]),
    ...chain("services", [
      "type nat hook prerouting priority -110",
      `iifname ${bridges} ip daddr ${METADATA_ADDRESS} tcp dport 80 dnat to 127.0.0.1:${network.metadataPort}`,
      `iifname ${bridges} ip daddr ${SERVICE_ADDRESS} tcp dport ${MIRROR_PORT} dnat to 127.0.0.1:${options.services.mirror}`,
      `iifname ${bridges} ip daddr ${SERVICE_ADDRESS} udp dport 53 dnat to 127.0.0.1:${options.services.names}`,
      `iifname ${bridges} ip daddr { ${FALLBACK_RESOLVERS.join(", ")} } udp dport 53 dnat to 127.0.0.1:${options.services.names}`,
      ...(options.registryPort === undefined
        ? []
        : [
            `iifname ${bridges} ip daddr ${SERVICE_ADDRESS} tcp dport 443 dnat to 127.0.0.1:${options.registryPort}`,
          ]),
      ...(options.spacesPort === undefined
        ? []
        : [
            `iifname ${bridges} ip daddr ${SERVICE_ADDRESS} tcp dport ${SPACES_PORT} dnat to 127.0.0.1:${options.spacesPort}`,
          ]),
      ...(options.acmePort
        ? [
            `iifname ${bridges} ip daddr ${SERVICE_ADDRESS} tcp dport ${ACME_PORT} dnat to 127.0.0.1:${options.acmePort}`,
          ]
        : []),
    ]),
    ...chain("addresses", ["type nat hook output priority -110", "dnat to ip daddr map @public"]),
    ...chain("clients", [
      "type nat hook postrouting priority 90",
      `oifname ${bridges} ip saddr 127.0.0.0/8 snat ip prefix to ${CLIENT_RANGE}`,
    ]),
    ...chain("from-host", [
      "type filter hook output priority -10",
      "ct state established,related accept",
      ...(options.publicPool === undefined ? [] : [`ip daddr ${options.publicPool} drop`]),
      // This machine is a client on the internet; it is no member of the VPC.
      ...(subnets.length === 0
        ? []
        : [`ip daddr { ${subnets.join(", ")} } ip saddr != 127.0.0.0/8 drop`]),
      "ip daddr vmap @inbound",
    ]),
    ...chain("to-host", [
      "type filter hook input priority -10",
      `iifname != ${bridges} accept`,
      "ct state established,related accept",
      // Registries and buckets are out in the world; names and metadata are the VPC's own.
      ...(cutOff.length === 0
        ? []
        : [
            `${fromCutOff} meta l4proto tcp ct original ip daddr ${SERVICE_ADDRESS} reject with icmp type net-unreachable`,
          ]),
      `ct status dnat ct original ip daddr { ${[METADATA_ADDRESS, SERVICE_ADDRESS, ...FALLBACK_RESOLVERS].join(", ")} } accept`,
      "reject with icmp type admin-prohibited",
    ]),
    ...chain("forward", [
      "type filter hook forward priority -10",
      `iifname != ${bridges} oifname != ${bridges} accept`,
      "ct state established,related accept",
      // What one VPC sends reaches no other one.
      ...network.vpcs.map(({ id }) => {
        const bridge = `"${bridgeName(options.instance, id)}"`;
        return `iifname ${bridge} oifname ${bridges} oifname != ${bridge} drop`;
      }),
      // A VPC carries neither.
      `iifname ${bridges} meta pkttype { broadcast, multicast } drop`,
      `iifname ${bridges} ip daddr 224.0.0.0/4 drop`,
      "ip saddr vmap @outbound",
      `iifname != ${bridges} drop`,
      ...(cutOff.length === 0
        ? []
        : [`${fromCutOff} oifname != ${bridges} reject with icmp type net-unreachable`]),
      ...(options.egress === "allow"
        ? []
        : [`oifname != ${bridges} reject with icmp type admin-prohibited`]),
      "ip daddr vmap @inbound",
    ]),
    "}",
    "",
  ].join("\n");
}

interface FirewalledDroplet {
  readonly id: number;
  readonly ip: string;
  readonly inbound: readonly FirewallRuleSpec[];
  readonly outbound: readonly FirewallRuleSpec[];
}

/** Droplets that some Firewall is on, each with the union of its rules. */
function firewalledDroplets({ droplets, firewalls }: NetworkSpec): FirewalledDroplet[] {
  return droplets.flatMap(({ id, privateIp: ip }) => {
    const own = firewalls.filter(({ dropletIds }) => dropletIds.includes(id));
    if (own.length === 0) return [];
    return {
      id,
      ip,
      inbound: own.flatMap(({ inbound }) => inbound),
      outbound: own.flatMap(({ outbound }) => outbound),
    };
  });
}

interface GuardedAddress {
  /** Name of its chain. */
  readonly name: string;
  readonly ip: string;
  readonly inbound: readonly FirewallRuleSpec[];
}

/** Guarded addresses, each with the union of its guards' rules. */
function guardedAddresses({ guards = [] }: NetworkSpec): GuardedAddress[] {
  return [...new Set(guards.map(({ privateIp }) => privateIp))].map((ip) => ({
    name: `guard-${ip.replaceAll(".", "-")}`,
    ip,
    inbound: guards.filter(({ privateIp }) => privateIp === ip).flatMap(({ inbound }) => inbound),
  }));
}

/** Public address → private address of the Droplet or service that it leads to. */
export function leadsTo(network: NetworkSpec): Map<string, string> {
  const privateIps = new Map(network.droplets.map(({ id, privateIp }) => [id, privateIp]));
  const map = new Map<string, string>();
  for (const { address, dropletId } of network.addresses) {
    const privateIp = privateIps.get(dropletId);
    if (privateIp !== undefined) map.set(address, privateIp);
  }
  for (const { address, privateIp } of network.services ?? []) map.set(address, privateIp);
  return map;
}

/** `return` leaves the Firewall's chain and lets the packet go on; no line when nobody may be the peer. */
function ruleLines(rule: FirewallRuleSpec, side: "saddr" | "daddr"): string[] {
  const cidrs = disjoint(rule.cidrs);
  if (cidrs.length === 0) return [];
  const peers = cidrs.includes("0.0.0.0/0") ? "" : `ip ${side} { ${cidrs.join(", ")} } `;
  const ports = rule.protocol === "icmp" || rule.ports === "0" ? undefined : rule.ports;
  const traffic =
    ports === undefined ? `meta l4proto ${rule.protocol}` : `${rule.protocol} dport ${ports}`;
  return [`${peers}${traffic} return`];
}

function elements(what: string, type: string, items: readonly string[]): string[] {
  return [
    `  ${what} {`,
    `    type ${type}`,
    ...(items.length === 0 ? [] : [`    elements = { ${items.join(", ")} }`]),
    "  }",
  ];
}

function chain(name: string, lines: readonly string[]): string[] {
  return [`  chain ${name} {`, ...lines.map((line) => `    ${line}`), "  }"];
}

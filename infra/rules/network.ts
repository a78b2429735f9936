import { DOCKER_RANGES, PRIVATE_RANGES } from "../addresses";
import { isIpv6Cidr, overlaps, parseCidr, parseIpv4, within } from "../cidr";
import type { Config } from "../config";
import { type Fault, show } from "../faults";

export function vpcFaults(vpcCidr: string, path = "archipelago:vpcCidr"): Fault[] {
  const at = { path, got: vpcCidr };
  const range = parseCidr(vpcCidr);
  if (range === undefined) {
    return [{ ...at, rule: "must be an IPv4 CIDR whose address is the first of its range" }];
  }
  // https://docs.digitalocean.com/reference/api/digitalocean/#tag/VPCs/operation/vpcs_create
  const faults: Fault[] = [];
  if (range.prefix < 16 || range.prefix > 28) {
    faults.push({ ...at, rule: "must be between /16 and /28 in size" });
  }
  if (!PRIVATE_RANGES.some((cidr) => isWithin(range, cidr))) {
    faults.push({ ...at, rule: `must lie in ${PRIVATE_RANGES.join(", ")}` });
  }
  const taken = Object.entries(DOCKER_RANGES).find(([, cidr]) => doOverlap(range, cidr));
  if (taken !== undefined) {
    faults.push({
      ...at,
      rule: `must not overlap ${taken[1]}, which Docker uses on every node (${taken[0]})`,
      remedy: "10.64.0.0/11 has room",
    });
  }
  return faults;
}

function isWithin(range: NonNullable<ReturnType<typeof parseCidr>>, cidr: string): boolean {
  const outer = parseCidr(cidr);
  return outer !== undefined && within(range, outer);
}

function doOverlap(range: NonNullable<ReturnType<typeof parseCidr>>, cidr: string): boolean {
  const other = parseCidr(cidr);
  return other !== undefined && overlaps(range, other);
}

export function sshFromFaults(sshFrom: readonly string[]): Fault[] {
  return sshFrom.flatMap((entry, index) =>
    entry === "me" || parseCidr(entry) !== undefined || isIpv6Cidr(entry)
      ? []
      : [
          {
            path: `archipelago:sshFrom[${index}]`,
            rule: "must be me or a CIDR whose address is the first of its range",
            got: show(entry),
          },
        ],
  );
}

/** Without public addresses there is one way for requests: a Load Balancer's. */
export function privateNodesFaults({ privateNodes, topology, ingress }: Config): Fault[] {
  if (!privateNodes.enabled) return [];
  const at = { path: "archipelago:privateNodes", got: "true" };
  if (topology === "single-node") {
    return [
      {
        ...at,
        rule: "must be left out in the single-node topology, whose node takes requests itself",
      },
    ];
  }
  if (ingress === "load-balancer") return [];
  const rule = "must be left out with ingress: floating-ip, which leads to a node's public address";
  const remedy = "or leave out archipelago:ingress, for a Load Balancer";
  return [{ ...at, rule, remedy }];
}

/** The way in: its kind, its address, its name. */
export function ingressFaults(config: Config): Fault[] {
  return [...balancerFaults(config), ...domainFaults(config), ...addressFaults(config)];
}

function balancerFaults({ topology, ingress, loadBalancer }: Config): Fault[] {
  const balanced = ingress === "load-balancer";
  if (topology === "single-node" && balanced) {
    const rule = "must be floating-ip in the single-node topology";
    return [{ path: "archipelago:ingress", rule, got: show(ingress) }];
  }
  if (topology === "ha" && !balanced) {
    const rule = "must be load-balancer in the ha topology";
    return [{ path: "archipelago:ingress", rule, got: show(ingress) }];
  }
  if (topology === "ha" && loadBalancer.nodes === 1) {
    const rule = "must be 2 or more in the ha topology: one has nothing to take over from it";
    return [{ path: "archipelago:loadBalancer.nodes", rule, got: "1" }];
  }
  if (!balanced && loadBalancer.stickyCookie !== undefined) {
    const rule = "must be left out with ingress: floating-ip, which has no Load Balancer";
    return [{ path: "archipelago:loadBalancer.stickyCookie", rule }];
  }
  return [];
}

function domainFaults({ domain, ingress }: Config): Fault[] {
  if (domain === undefined) return [];
  const faults: Fault[] = [];
  if (ingress === "load-balancer" && domain.dns === "none") {
    faults.push({
      path: "archipelago:domain.dns",
      rule: "must be create or existing with a Load Balancer, whose certificate is proved by DigitalOcean's DNS",
      got: show(domain.dns),
    });
  }
  const { name, zone } = domain;
  if (zone !== undefined && name !== zone && !name.endsWith(`.${zone}`)) {
    const rule = `must be ${name} or a domain that ends it`;
    faults.push({ path: "archipelago:domain.zone", rule, got: show(zone) });
  }
  return faults;
}

function addressFaults({ floatingIp, ingress }: Config): Fault[] {
  const address = floatingIp.existing;
  if (address === undefined) return [];
  const path = "archipelago:floatingIp.existing";
  if (parseIpv4(address) === undefined) {
    return [{ path, rule: "must be an IPv4 address", got: show(address) }];
  }
  if (ingress === "floating-ip") return [];
  return [{ path, rule: "must be left out with a Load Balancer, which has an address of its own" }];
}

import * as fs from "node:fs";
import * as path from "node:path";
import { DOCKER_RANGES, PRIVATE_RANGES } from "./addresses";
import { isIpv6Cidr, overlaps, parseCidr, parseIpv4, within } from "./cidr";
import type { ServiceConfig, StackFile } from "./config";
import { type Fault, show } from "./faults";

/** Names of the services that Archipelago adds, and what each is. */
const OWN_SERVICES: Readonly<Record<string, string>> = {
  edge: "the edge proxy",
  "edge-agent": "the edge proxy's agent",
  postgres: "the database",
  pgbouncer: "the connection pooler",
};

/** Secrets that Archipelago gives to every service itself. */
const OWN_SECRETS = ["database_url"];

/**
 * Faults that no single field shows: what must hold between fields.
 *
 * @param root directory that build contexts start at.
 * @param vpcCidr the range in use, given or default.
 */
export function ruleFaults(file: StackFile, root: string, vpcCidr: string): Fault[] {
  return [
    ...topologyFaults(file),
    ...vpcFaults(vpcCidr),
    ...sshFromFaults(file.sshFrom),
    ...domainFaults(file),
    ...addressFaults(file),
    ...Object.entries(file.services).flatMap(([name, service]) =>
      serviceFaults(name, service, root),
    ),
    ...routeFaults(file),
  ];
}

function topologyFaults(file: StackFile): Fault[] {
  return file.topology === "single-node" ? singleNodeFaults(file) : swarmFaults(file);
}

function singleNodeFaults({ nodes, managers, workers, ingress }: StackFile): Fault[] {
  const names = Object.keys(nodes ?? { one: {} });
  return [
    ...(names.length === 1
      ? []
      : [
          {
            path: "archipelago:nodes",
            rule: "must name exactly one node in the single-node topology",
            got: names.length === 0 ? "none" : names.join(", "),
            unless: ["archipelago:nodes"],
          },
        ]),
    ...only({ managers, workers }, "swarm"),
    ...(ingress === "load-balancer"
      ? [{ path: "archipelago:ingress", rule: "must be floating-ip in the single-node topology" }]
      : []),
  ];
}

function swarmFaults({ nodes, ingress, floatingIp, domain }: StackFile): Fault[] {
  return [
    ...only({ nodes, "floatingIp.existing": floatingIp.existing }, "single-node"),
    ...(ingress === "floating-ip"
      ? [{ path: "archipelago:ingress", rule: "must be load-balancer in the swarm topology" }]
      : []),
    ...(domain === undefined
      ? []
      : [
          {
            path: "archipelago:domain",
            rule: "must be left out in the swarm topology: HTTPS at the Load Balancer is not built yet",
          },
        ]),
  ];
}

/** Keys that belong to another topology. */
function only(given: Readonly<Record<string, unknown>>, topology: string): Fault[] {
  return Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([key]) => ({ path: `archipelago:${key}`, rule: `is for the ${topology} topology only` }));
}

export function vpcFaults(vpcCidr: string): Fault[] {
  const at = { path: "archipelago:vpcCidr", got: vpcCidr };
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

function sshFromFaults(sshFrom: readonly string[]): Fault[] {
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

function domainFaults({ domain }: StackFile): Fault[] {
  if (domain?.zone === undefined) return [];
  if (domain.name === domain.zone || domain.name.endsWith(`.${domain.zone}`)) return [];
  return [
    {
      path: "archipelago:domain.zone",
      rule: `must be ${domain.name} or a domain that ends it`,
      got: show(domain.zone),
    },
  ];
}

function addressFaults({ floatingIp }: StackFile): Fault[] {
  const address = floatingIp.existing;
  if (address === undefined || parseIpv4(address) !== undefined) return [];
  return [
    {
      path: "archipelago:floatingIp.existing",
      rule: "must be an IPv4 address",
      got: show(address),
    },
  ];
}

function serviceFaults(name: string, service: ServiceConfig, root: string): Fault[] {
  const at = `archipelago:services.${name}`;
  const faults: Fault[] = [];
  const owner = OWN_SERVICES[name];
  if (owner !== undefined) {
    faults.push({ path: at, rule: `must have another name: ${name} is ${owner}` });
  }
  if ((service.image === undefined) === (service.build === undefined)) {
    const got = service.image === undefined ? "neither" : "both";
    const unless = [`${at}.image`, `${at}.build`];
    faults.push({ path: at, rule: "must have either image or build", got, unless });
  }
  if (service.routes.length > 0 && service.port === undefined) {
    faults.push({ path: `${at}.port`, rule: "is missing; a service with routes needs one" });
  }
  if (service.volume !== undefined && service.replicas > 1) {
    faults.push({
      path: `${at}.replicas`,
      rule: "must be 1 for a service with a volume, whose files only one task may write",
      got: String(service.replicas),
    });
  }
  for (const secret of OWN_SECRETS.filter((secret) => secret in service.secrets)) {
    faults.push({
      path: `${at}.secrets.${secret}`,
      rule: "must have another name: Archipelago gives every service this file itself",
    });
  }
  if (service.build !== undefined) faults.push(...buildFaults(at, service.build, root));
  return faults;
}

function buildFaults(at: string, build: NonNullable<ServiceConfig["build"]>, root: string) {
  const context = path.resolve(root, build.context);
  if (path.relative(root, context).startsWith("..")) {
    return [
      {
        path: `${at}.build.context`,
        rule: "must lie inside the checkout",
        got: show(build.context),
      },
    ];
  }
  if (!fs.existsSync(context)) {
    return [
      {
        path: `${at}.build.context`,
        rule: "must be a directory that exists",
        got: show(build.context),
      },
    ];
  }
  if (fs.existsSync(path.join(context, build.dockerfile))) return [];
  return [
    {
      path: `${at}.build.dockerfile`,
      rule: `must be a file in ${build.context}`,
      got: show(build.dockerfile),
    },
  ];
}

function routeFaults({ services }: StackFile): Fault[] {
  const owners = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [name, { routes }] of Object.entries(services)) {
    for (const [index, route] of routes.entries()) {
      const key = route.length > 1 && !/^[^/]+\/$/.test(route) ? route.replace(/\/+$/, "") : route;
      const path = `archipelago:services.${name}.routes[${index}]`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, path);
      else faults.push({ path, rule: `must be another route than ${owner}`, got: show(route) });
    }
  }
  return faults;
}

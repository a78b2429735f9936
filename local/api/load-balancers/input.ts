import { z } from "zod";
import { parseCidr } from "../addresses";
import { findRegion } from "../catalogue/regions";
import { unprocessable } from "../errors";
import { parse } from "../input";
import type { Store } from "../store";
import { requireTags } from "../tags/model";
import { defaultVpc, findVpc } from "../vpcs/model";
import type { Context } from "../context";
import { asCidr } from "./addresses";
import type { LoadBalancerRecord } from "./model";
import { type ForwardingRule, readRules, rulesInput } from "./rules";

const healthCheck = z.object({
  protocol: z.enum(["http", "https", "tcp"]).nullish(),
  port: z.number().int().min(1).max(65_535).nullish(),
  path: z.string().nullish(),
  check_interval_seconds: z.number().int().min(3).max(300).nullish(),
  response_timeout_seconds: z.number().int().min(3).max(300).nullish(),
  healthy_threshold: z.number().int().min(2).max(10).nullish(),
  unhealthy_threshold: z.number().int().min(2).max(10).nullish(),
});

const sticky = z.object({
  type: z.enum(["cookies", "none"]).nullish(),
  cookie_name: z.string().max(40).nullish(),
  cookie_ttl_seconds: z.number().int().min(1).nullish(),
});

/** `ip:203.0.113.7` or `cidr:203.0.113.0/24`. */
const firewallEntry = z
  .string()
  .refine(
    (entry) => parseCidr(asCidr(entry)) !== undefined && /^(ip|cidr):/.test(entry),
    "firewall: rules look like ip:203.0.113.7 or cidr:203.0.113.0/24",
  );

/** https://docs.digitalocean.com/reference/api/ "Load Balancers": what the old sizes are in nodes. */
const sizes = { "lb-small": 1, "lb-medium": 3, "lb-large": 6 } as const;

/** What regional and global ones have in common. */
export const commonInput = {
  name: z
    .string({ error: "name is required" })
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9.-]*$/, "name may only hold letters, digits, periods and dashes")
    .max(255),
  project_id: z.string().nullish(),
};

const body = z.object({
  ...commonInput,
  region: z.string().nullish(),
  size_unit: z.number().int().min(1).max(100).nullish(),
  size: z.enum(["lb-small", "lb-medium", "lb-large", ""]).nullish(),
  algorithm: z.enum(["round_robin", "least_connections", ""]).nullish(),
  forwarding_rules: rulesInput.shape.forwarding_rules,
  health_check: healthCheck.nullish(),
  sticky_sessions: sticky.nullish(),
  tag: z.string().nullish(),
  droplet_ids: z.array(z.number().int()).nullish(),
  redirect_http_to_https: z.boolean().nullish(),
  disable_lets_encrypt_dns_records: z.boolean().nullish(),
  enable_proxy_protocol: z.boolean().nullish(),
  enable_backend_keepalive: z.boolean().nullish(),
  http_idle_timeout_seconds: z.number().int().min(30).max(600).nullish(),
  vpc_uuid: z.string().nullish(),
  firewall: z
    .object({ allow: z.array(firewallEntry).nullish(), deny: z.array(firewallEntry).nullish() })
    .nullish(),
  network: z.enum(["EXTERNAL", "INTERNAL", ""]).nullish(),
  network_stack: z
    .enum(["IPV4", ""], { error: "network_stack must be IPV4: local networks have no IPv6" })
    .nullish(),
  type: z
    .enum(["REGIONAL", ""], {
      error:
        "type must be REGIONAL or GLOBAL: the local DigitalOcean has no network load balancers",
    })
    .nullish(),
  tls_cipher_policy: z.enum(["DEFAULT", "STRONG", ""]).nullish(),
});

/** What a request says of a Load Balancer, with DigitalOcean's defaults; addresses and state are not its affair. */
export type LoadBalancerInput = Omit<
  LoadBalancerRecord,
  "id" | "privateIp" | "publicIp" | "dnsRecordIds" | "status" | "deleting" | "createdAt"
> & { readonly projectId: string | undefined };

/**
 * Checks the body of a creation, or of a change, which replaces everything. Call inside a transaction: the region's
 * default VPC is made when it is needed first.
 *
 * @throws {ApiError} 422.
 */
export function readLoadBalancer(
  context: Context,
  given: unknown,
  before?: LoadBalancerRecord,
): LoadBalancerInput {
  const { store } = context;
  const input = parse(body, given);
  const vpc = findVpcOf(context, input, before);
  const check = input.health_check ?? {};
  const cookie = input.sticky_sessions?.type === "cookies" ? input.sticky_sessions : undefined;
  if (cookie && (!cookie.cookie_name || !cookie.cookie_ttl_seconds))
    throw unprocessable("sticky_sessions of type cookies need cookie_name and cookie_ttl_seconds");
  if (input.tag && input.droplet_ids?.length)
    throw unprocessable("specify either a tag or droplet_ids, not both");
  const rules = readRules(store, input);
  const ends = ({ entryProtocol }: ForwardingRule) => /^http[s2]$/.test(entryProtocol);
  if (input.redirect_http_to_https && !rules.some(ends))
    throw unprocessable("redirect_http_to_https needs a forwarding rule for https or http2");
  const network = input.network || before?.network || "EXTERNAL";
  if (before && network !== before.network)
    throw unprocessable("the network of a load balancer cannot be changed");
  if (input.project_id && !store.projects.get(input.project_id))
    throw unprocessable("project_id: the project does not exist");
  return {
    name: input.name,
    region: vpc.region,
    vpcId: vpc.id,
    sizeUnit: input.size_unit ?? (input.size ? sizes[input.size] : (before?.sizeUnit ?? 1)),
    algorithm: input.algorithm || "round_robin",
    rules,
    healthCheck: {
      protocol: check.protocol ?? "http",
      port: check.port ?? 80,
      path: check.path || "/",
      intervalSeconds: check.check_interval_seconds ?? 10,
      timeoutSeconds: check.response_timeout_seconds ?? 5,
      healthyThreshold: check.healthy_threshold ?? 3,
      unhealthyThreshold: check.unhealthy_threshold ?? 5,
    },
    stickyCookie: cookie && {
      name: cookie.cookie_name ?? "",
      ttlSeconds: cookie.cookie_ttl_seconds ?? 0,
    },
    redirectHttpToHttps: input.redirect_http_to_https ?? false,
    dnsRecords: !input.disable_lets_encrypt_dns_records,
    network,
    tlsCipherPolicy: input.tls_cipher_policy || "DEFAULT",
    proxyProtocol: input.enable_proxy_protocol ?? false,
    backendKeepalive: input.enable_backend_keepalive ?? false,
    httpIdleTimeoutSeconds: input.http_idle_timeout_seconds ?? 60,
    allow: input.firewall?.allow ?? [],
    deny: input.firewall?.deny ?? [],
    tag: input.tag ? requireTags(store, [input.tag])[0] : undefined,
    dropletIds: requireDroplets(store, vpc.id, input.droplet_ids ?? []),
    projectId: input.project_id ?? undefined,
  };
}

function findVpcOf(context: Context, input: z.output<typeof body>, before?: LoadBalancerRecord) {
  if (before) {
    if (input.vpc_uuid && input.vpc_uuid !== before.vpcId)
      throw unprocessable("the VPC of a load balancer cannot be changed");
    if (input.region && input.region !== before.region)
      throw unprocessable("the region of a load balancer cannot be changed");
    return { id: before.vpcId, region: before.region };
  }
  if (input.vpc_uuid) {
    const vpc = findVpc(context.store, input.vpc_uuid);
    if (!vpc) throw unprocessable("vpc_uuid: the VPC does not exist");
    if (input.region && input.region !== vpc.region)
      throw unprocessable("the VPC and the load balancer must be in the same region");
    return vpc;
  }
  if (!input.region) throw unprocessable("region is required");
  if (!findRegion(input.region)?.available) throw unprocessable("region is invalid");
  return defaultVpc(context, input.region);
}

export function requireDroplets(store: Store, vpcId: string, ids: readonly number[]): number[] {
  for (const id of ids)
    if (store.droplets.get(id)?.vpcId !== vpcId)
      throw unprocessable(`droplet ${id} is not in the load balancer's VPC`);
  return [...new Set(ids)];
}

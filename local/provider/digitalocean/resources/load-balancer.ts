import type { CheckFailure } from "../../framework/check";
import type { ResourceType } from "../../framework/provider";
import { boolean, list, lowerCase, map, number, object, set, string } from "../../framework/schema";
import { items, members, text, texts, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { until } from "../wait";

interface ApiLoadBalancer {
  readonly id: string;
  readonly name: string;
  readonly ip: string;
  readonly ipv6?: string;
  readonly status: "new" | "active" | "errored";
  readonly size_unit: number;
  readonly region?: { readonly slug: string };
  readonly vpc_uuid: string;
  readonly project_id: string;
  readonly type: string;
  readonly tag?: string;
  readonly droplet_ids: readonly number[] | null;
  readonly forwarding_rules: readonly {
    readonly entry_protocol: string;
    readonly entry_port: number;
    readonly target_protocol: string;
    readonly target_port: number;
    readonly tls_passthrough: boolean;
  }[];
  readonly health_check: {
    readonly protocol: string;
    readonly port: number;
    readonly path: string;
    readonly check_interval_seconds: number;
    readonly response_timeout_seconds: number;
    readonly healthy_threshold: number;
    readonly unhealthy_threshold: number;
  };
  readonly sticky_sessions: {
    readonly type: string;
    readonly cookie_name?: string;
    readonly cookie_ttl_seconds?: number;
  };
  readonly redirect_http_to_https: boolean;
  readonly enable_proxy_protocol: boolean;
  readonly enable_backend_keepalive: boolean;
  readonly http_idle_timeout_seconds: number;
  readonly disable_lets_encrypt_dns_records: boolean;
  readonly firewall?: {
    readonly allow?: readonly string[] | null;
    readonly deny?: readonly string[] | null;
  };
}

const path = (id: string) => `/load_balancers/${id}`;
const fetchBalancer = (client: ApiClient, id: string) =>
  client.find<{ load_balancer: ApiLoadBalancer }>(path(id));

/** Pulumi's properties as the API's body, which replaces everything that is there. */
function request(inputs: Values) {
  const check = inputs.healthcheck === undefined ? undefined : members(inputs.healthcheck);
  const sticky = inputs.stickySessions === undefined ? undefined : members(inputs.stickySessions);
  const firewall = inputs.firewall === undefined ? undefined : members(inputs.firewall);
  return {
    name: inputs.name,
    region: inputs.region && lowerCase(text(inputs.region)),
    size_unit: inputs.sizeUnit,
    algorithm: inputs.algorithm,
    vpc_uuid: inputs.vpcUuid,
    project_id: inputs.projectId,
    type: inputs.type,
    network: inputs.network,
    network_stack: inputs.networkStack,
    // A tag selects by itself, whatever was selected when it was read.
    ...(inputs.dropletTag ? { tag: inputs.dropletTag } : { droplet_ids: items(inputs.dropletIds) }),
    forwarding_rules: items(inputs.forwardingRules).map((one) => {
      const rule = members(one);
      return {
        entry_protocol: rule.entryProtocol,
        entry_port: rule.entryPort,
        target_protocol: rule.targetProtocol,
        target_port: rule.targetPort,
        certificate_id: rule.certificateId ?? rule.certificateName,
        tls_passthrough: rule.tlsPassthrough,
      };
    }),
    health_check: check && {
      protocol: check.protocol,
      port: check.port,
      path: check.path,
      check_interval_seconds: check.checkIntervalSeconds,
      response_timeout_seconds: check.responseTimeoutSeconds,
      healthy_threshold: check.healthyThreshold,
      unhealthy_threshold: check.unhealthyThreshold,
    },
    sticky_sessions: sticky && {
      type: sticky.type,
      cookie_name: sticky.cookieName,
      cookie_ttl_seconds: sticky.cookieTtlSeconds,
    },
    redirect_http_to_https: inputs.redirectHttpToHttps,
    enable_proxy_protocol: inputs.enableProxyProtocol,
    enable_backend_keepalive: inputs.enableBackendKeepalive,
    http_idle_timeout_seconds: inputs.httpIdleTimeoutSeconds,
    disable_lets_encrypt_dns_records: inputs.disableLetsEncryptDnsRecords,
    firewall: firewall && { allow: texts(firewall.allows), deny: texts(firewall.denies) },
  };
}

function existing(balancer: ApiLoadBalancer) {
  const { health_check: check, sticky_sessions: sticky } = balancer;
  return {
    id: balancer.id,
    state: {
      name: balancer.name,
      ip: balancer.ip,
      ipv6: balancer.ipv6 ?? "",
      status: balancer.status,
      loadBalancerUrn: `do:loadbalancer:${balancer.id}`,
      sizeUnit: balancer.size_unit,
      region: balancer.region?.slug,
      vpcUuid: balancer.vpc_uuid,
      projectId: balancer.project_id,
      type: balancer.type,
      dropletTag: balancer.tag,
      dropletIds: balancer.droplet_ids ?? [],
      forwardingRules: balancer.forwarding_rules.map((rule) => ({
        entryProtocol: rule.entry_protocol,
        entryPort: rule.entry_port,
        targetProtocol: rule.target_protocol,
        targetPort: rule.target_port,
        tlsPassthrough: rule.tls_passthrough,
      })),
      healthcheck: {
        protocol: check.protocol,
        port: check.port,
        path: check.path,
        checkIntervalSeconds: check.check_interval_seconds,
        responseTimeoutSeconds: check.response_timeout_seconds,
        healthyThreshold: check.healthy_threshold,
        unhealthyThreshold: check.unhealthy_threshold,
      },
      stickySessions: {
        type: sticky.type,
        cookieName: sticky.cookie_name ?? "",
        cookieTtlSeconds: sticky.cookie_ttl_seconds ?? 0,
      },
      redirectHttpToHttps: balancer.redirect_http_to_https,
      enableProxyProtocol: balancer.enable_proxy_protocol,
      enableBackendKeepalive: balancer.enable_backend_keepalive,
      httpIdleTimeoutSeconds: balancer.http_idle_timeout_seconds,
      disableLetsEncryptDnsRecords: balancer.disable_lets_encrypt_dns_records,
      firewall: {
        allows: balancer.firewall?.allow ?? [],
        denies: balancer.firewall?.deny ?? [],
      },
    },
  };
}

/** P loadbalancer/resource_loadbalancer.go: Droplets are selected by tag or by ID. */
function faults({ dropletTag, dropletIds }: Values): CheckFailure[] {
  return dropletTag !== undefined && dropletIds !== undefined && items(dropletIds).length > 0
    ? [{ property: "dropletIds", reason: "conflicts with `dropletTag`" }]
    : [];
}

/**
 * A Load Balancer. As officially, `algorithm`, `network`, `networkStack` and `tlsCipherPolicy` are never read back, and leaving out
 * what is computed changes nothing (FACTS 8).
 */
export const loadBalancer: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    region: string({ replace: true, state: lowerCase }),
    size: string(),
    sizeUnit: number({ computed: true }),
    algorithm: string(),
    type: string({ replace: true, computed: true }),
    network: string({ replace: true }),
    networkStack: string({ replace: true }),
    vpcUuid: string({ replace: true, computed: true }),
    projectId: string({ computed: true }),
    dropletIds: set(number(), { computed: true }),
    dropletTag: string(),
    targetLoadBalancerIds: set(string(), { computed: true }),
    forwardingRules: set(
      object({
        entryProtocol: string({ required: true }),
        entryPort: number({ required: true }),
        targetProtocol: string({ required: true }),
        targetPort: number({ required: true }),
        certificateId: string({ computed: true }),
        certificateName: string({ computed: true }),
        tlsPassthrough: boolean({ default: false }),
      }),
    ),
    healthcheck: object(
      {
        protocol: string({ required: true }),
        port: number({ required: true }),
        path: string(),
        checkIntervalSeconds: number({ default: 10 }),
        responseTimeoutSeconds: number({ default: 5 }),
        healthyThreshold: number({ default: 5 }),
        unhealthyThreshold: number({ default: 3 }),
      },
      { computed: true },
    ),
    stickySessions: object(
      {
        type: string({ default: "none" }),
        cookieName: string(),
        cookieTtlSeconds: number(),
      },
      { computed: true },
    ),
    domains: set(
      object({
        name: string({ required: true }),
        isManaged: boolean({ default: false }),
        certificateId: string({ computed: true }),
        certificateName: string({ computed: true }),
        verificationErrorReasons: list(string(), { computed: true }),
        sslValidationErrorReasons: list(string(), { computed: true }),
      }),
      { computed: true },
    ),
    glbSettings: object(
      {
        targetProtocol: string({ required: true }),
        targetPort: number({ required: true }),
        cdn: object({ isEnabled: boolean({ default: false }) }),
        regionPriorities: map(number()),
        failoverThreshold: number(),
      },
      { computed: true },
    ),
    firewall: object({ allows: list(string()), denies: list(string()) }, { computed: true }),
    redirectHttpToHttps: boolean({ default: false }),
    enableProxyProtocol: boolean({ default: false }),
    enableBackendKeepalive: boolean({ default: false }),
    disableLetsEncryptDnsRecords: boolean({ default: false }),
    httpIdleTimeoutSeconds: number({ computed: true }),
    tlsCipherPolicy: string({ default: "DEFAULT" }),
  },
  outputs: ["ip", "ipv6", "status", "loadBalancerUrn"],
  autoname: true,
  validate: faults,
  async create(client, inputs, creation) {
    const made = await client.post<{ load_balancer: ApiLoadBalancer }>(
      "/load_balancers",
      request(inputs),
    );
    const { id } = made.load_balancer;
    creation.exists(id, existing(made.load_balancer).state);
    return until(client, `Load Balancer ${id} to be active`, async () => {
      const now = (await client.get<{ load_balancer: ApiLoadBalancer }>(path(id))).load_balancer;
      if (now.status === "errored") throw new Error(`Load Balancer ${id} is errored`);
      return now.status === "active" ? existing(now) : undefined;
    });
  },
  async read(client, id) {
    const found = await fetchBalancer(client, id);
    return found && existing(found.load_balancer);
  },
  async update(client, id, { news }) {
    const updated = await client.put<{ load_balancer: ApiLoadBalancer }>(path(id), request(news));
    return existing(updated.load_balancer);
  },
  delete: (client, id) => client.remove(path(id)),
};

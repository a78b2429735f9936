import type { CheckFailure } from "../../framework/check";
import type { ResourceType } from "../../framework/provider";
import { lowerCase } from "../../framework/schema";
import { isZero, items, members, text, texts, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { fromApi, toApi } from "../spelling";
import { until } from "../wait";
import { loadBalancerFields } from "./load-balancer-fields";
import {
  domainsFromApi,
  domainsToApi,
  rulesFromApi,
  rulesToApi,
  type ApiDomain,
  type ApiForwardingRule,
} from "./load-balancer-rules";

export interface ApiLoadBalancer {
  readonly id: string;
  readonly name: string;
  readonly type?: string;
  readonly status: "new" | "active" | "errored";
  readonly ip?: string;
  readonly ipv6?: string;
  readonly size?: string;
  readonly size_unit?: number;
  readonly algorithm?: string;
  readonly region?: { readonly slug: string } | null;
  readonly vpc_uuid?: string;
  readonly project_id?: string;
  readonly tag?: string;
  readonly droplet_ids?: readonly number[] | null;
  readonly forwarding_rules?: readonly ApiForwardingRule[] | null;
  readonly health_check?: object | null;
  readonly sticky_sessions?: object | null;
  readonly redirect_http_to_https?: boolean;
  readonly enable_proxy_protocol?: boolean;
  readonly enable_backend_keepalive?: boolean;
  readonly disable_lets_encrypt_dns_records?: boolean;
  readonly http_idle_timeout_seconds?: number;
  readonly firewall?: {
    readonly allow?: readonly string[] | null;
    readonly deny?: readonly string[] | null;
  } | null;
  readonly domains?: readonly ApiDomain[] | null;
  readonly glb_settings?: object | null;
  readonly target_load_balancer_ids?: readonly string[] | null;
}

type Answer = { readonly load_balancer: ApiLoadBalancer };

/** P loadbalancer/resource_loadbalancer.go: the creation's limit. */
const ACTIVE_MS = 10 * 60 * 1000;

/** What the API tells of a Load Balancer; `network`, `networkStack` and `tlsCipherPolicy` are never read. */
export async function loadBalancerState(client: ApiClient, lb: ApiLoadBalancer): Promise<Values> {
  return {
    name: lb.name,
    loadBalancerUrn: `do:loadbalancer:${lb.id}`,
    ip: lb.ip ?? "",
    ipv6: lb.ipv6 ?? "",
    status: lb.status,
    ...(lb.type ? { type: lb.type } : {}),
    ...(lb.region ? { region: lb.region.slug } : {}),
    ...(lb.size_unit ? { sizeUnit: lb.size_unit } : { size: lb.size }),
    ...(lb.algorithm ? { algorithm: lb.algorithm } : {}),
    vpcUuid: lb.vpc_uuid ?? "",
    projectId: lb.project_id ?? "",
    dropletTag: lb.tag ?? "",
    dropletIds: lb.droplet_ids ?? [],
    forwardingRules: await rulesFromApi(client, lb.forwarding_rules ?? []),
    ...(lb.health_check ? { healthcheck: fromApi(lb.health_check) } : {}),
    ...(lb.sticky_sessions ? { stickySessions: fromApi(lb.sticky_sessions) } : {}),
    redirectHttpToHttps: lb.redirect_http_to_https ?? false,
    enableProxyProtocol: lb.enable_proxy_protocol ?? false,
    enableBackendKeepalive: lb.enable_backend_keepalive ?? false,
    disableLetsEncryptDnsRecords: lb.disable_lets_encrypt_dns_records ?? false,
    httpIdleTimeoutSeconds: lb.http_idle_timeout_seconds ?? 0,
    firewall: { allows: lb.firewall?.allow ?? [], denies: lb.firewall?.deny ?? [] },
    domains: await domainsFromApi(client, lb.domains ?? []),
    ...(lb.glb_settings ? { glbSettings: fromApi(lb.glb_settings) } : {}),
    targetLoadBalancerIds: lb.target_load_balancer_ids ?? [],
  };
}

const existing = async (client: ApiClient, { load_balancer: lb }: Answer) => ({
  id: lb.id,
  state: await loadBalancerState(client, lb),
});

/** In the API's spelling, without what is empty. */
const set = (value: unknown): Values =>
  toApi(Object.fromEntries(Object.entries(members(value)).filter(([, one]) => !isZero(one))));

async function request(client: ApiClient, inputs: Values): Promise<Values> {
  const firewall = members(inputs.firewall);
  const given = (key: string, value: unknown): Values => (isZero(value) ? {} : { [key]: value });
  return {
    name: inputs.name,
    algorithm: inputs.algorithm,
    redirect_http_to_https: inputs.redirectHttpToHttps === true,
    enable_proxy_protocol: inputs.enableProxyProtocol === true,
    enable_backend_keepalive: inputs.enableBackendKeepalive === true,
    disable_lets_encrypt_dns_records: inputs.disableLetsEncryptDnsRecords === true,
    forwarding_rules: await rulesToApi(client, inputs.forwardingRules),
    ...given("region", inputs.region && lowerCase(text(inputs.region))),
    ...(isZero(inputs.sizeUnit) ? given("size", inputs.size) : { size_unit: inputs.sizeUnit }),
    ...given("project_id", inputs.projectId),
    ...given("vpc_uuid", inputs.vpcUuid),
    ...given("type", inputs.type),
    ...given("network", inputs.network),
    ...given("network_stack", inputs.networkStack),
    ...given("tls_cipher_policy", inputs.tlsCipherPolicy),
    ...given("http_idle_timeout_seconds", inputs.httpIdleTimeoutSeconds),
    ...(isZero(inputs.dropletTag)
      ? given("droplet_ids", items(inputs.dropletIds))
      : { tag: inputs.dropletTag }),
    ...given("health_check", set(inputs.healthcheck)),
    ...given("sticky_sessions", set(inputs.stickySessions)),
    ...(isZero(firewall)
      ? {}
      : { firewall: { allow: texts(firewall.allows), deny: texts(firewall.denies) } }),
    ...given("domains", await domainsToApi(client, inputs.domains)),
    ...given("glb_settings", toApi(members(inputs.glbSettings))),
    ...given("target_load_balancer_ids", texts(inputs.targetLoadBalancerIds)),
  };
}

/** P loadbalancer/resource_loadbalancer.go: CustomizeDiff, ConflictsWith. */
function faults(inputs: Values): CheckFailure[] {
  const found: CheckFailure[] = [];
  const fault = (property: string, reason: string): void => void found.push({ property, reason });
  const type = text(inputs.type).toUpperCase();
  if (inputs.type === undefined && isZero(inputs.region)) {
    fault("region", "missing 'region' value");
  } else if (type === "GLOBAL" && !isZero(inputs.region)) {
    fault("region", "'region' must be empty or not set when 'type' is 'GLOBAL'");
  } else if (type.startsWith("REGIONAL") && isZero(inputs.region)) {
    fault("region", `'region' must be set and not be empty when 'type' is '${type}'`);
  }
  const check = members(inputs.healthcheck);
  const checked = text(check.protocol);
  if (checked.startsWith("http") && isZero(check.path)) {
    fault("healthcheck", `health check \`path\` is required for when protocol is \`${checked}\``);
  } else if (checked === "tcp" && !isZero(check.path)) {
    fault("healthcheck", "health check `path` is not allowed for when protocol is `tcp`");
  }
  const sticky = members(inputs.stickySessions);
  for (const [property, name] of [
    ["cookieName", "cookie_name"],
    ["cookieTtlSeconds", "cookie_ttl_seconds"],
  ] as const) {
    if (sticky.type === "cookies" && isZero(sticky[property])) {
      fault(
        "stickySessions",
        `sticky sessions \`${name}\` is required for when type is \`cookie\``,
      );
    } else if (sticky.type === "none" && !isZero(sticky[property])) {
      fault(
        "stickySessions",
        `sticky sessions \`${name}\` is not allowed for when type is \`none\``,
      );
    }
  }
  if (!isZero(inputs.dropletIds) && !isZero(inputs.dropletTag)) {
    fault("dropletIds", '"droplet_ids": conflicts with droplet_tag');
  }
  if (!isZero(inputs.forwardingRules) && !isZero(inputs.glbSettings)) {
    fault("forwardingRules", '"forwarding_rule": conflicts with glb_settings');
  }
  return found;
}

/** Regional and global Load Balancers. Deleting returns at once; the VPC is free a little later (FACTS 10). */
export const loadBalancer: ResourceType<ApiClient> = {
  inputs: loadBalancerFields,
  outputs: ["ip", "ipv6", "loadBalancerUrn", "status"],
  autoname: true,
  validate: faults,
  async create(client, inputs, creation) {
    const made = await client.post<Answer>("/load_balancers", await request(client, inputs));
    const { id } = made.load_balancer;
    creation.exists(id);
    const active = await until(
      client,
      `Load Balancer ${text(inputs.name)} to become active`,
      async () => {
        const now = await client.get<Answer>(`/load_balancers/${id}`);
        if (now.load_balancer.status === "errored") {
          throw new Error(`Load Balancer ${text(inputs.name)} is in state errored`);
        }
        return now.load_balancer.status === "active" ? now : undefined;
      },
      ACTIVE_MS,
    );
    return existing(client, active);
  },
  async read(client, id) {
    const found = await client.find<Answer>(`/load_balancers/${id}`);
    return found && existing(client, found);
  },
  async update(client, id, { planned }) {
    await client.put(`/load_balancers/${id}`, await request(client, planned));
    return existing(client, await client.get<Answer>(`/load_balancers/${id}`));
  },
  delete: (client, id) => client.remove(`/load_balancers/${id}`),
};

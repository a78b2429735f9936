import type { LoadBalancerSpec } from "../../machines/machines";
import { serverPem } from "../certificates/model";
import { regionView } from "../catalogue/regions";
import { timestamp } from "../context";
import type { DropletRecord } from "../droplets/model";
import { projectOf } from "../projects/model";
import type { Store } from "../store";
import { hasTag } from "../tags/model";
import { asCidr } from "./addresses";
import { letsEncryptNames, pointNames, unpointNames } from "./dns";
import { type ForwardingRule, ruleView } from "./rules";

export interface LoadBalancerRecord {
  readonly id: string;
  readonly name: string;
  /** Slug. */
  readonly region: string;
  readonly vpcId: string;
  readonly privateIp: string;
  /** An internal one has none. */
  readonly publicIp: string | undefined;
  readonly sizeUnit: number;
  readonly algorithm: "round_robin" | "least_connections";
  readonly rules: readonly ForwardingRule[];
  readonly healthCheck: LoadBalancerSpec["healthCheck"];
  readonly stickyCookie: LoadBalancerSpec["stickyCookie"];
  readonly redirectHttpToHttps: boolean;
  /** Whether names of Let's Encrypt's certificates are pointed to it. */
  readonly dnsRecords: boolean;
  /** The A records made for that. */
  readonly dnsRecordIds: readonly number[];
  readonly network: "EXTERNAL" | "INTERNAL";
  /** Kept and shown; HAProxy's own choice is used. */
  readonly tlsCipherPolicy: "DEFAULT" | "STRONG";
  readonly proxyProtocol: boolean;
  readonly backendKeepalive: boolean;
  readonly httpIdleTimeoutSeconds: number;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Droplets are targets by tag or by id, never by both. */
  readonly tag: string | undefined;
  readonly dropletIds: readonly number[];
  readonly status: "new" | "active" | "errored";
  readonly deleting: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
}

export const loadBalancerUrn = ({ id }: Pick<LoadBalancerRecord, "id">) => `do:loadbalancer:${id}`;

/** Droplets of its VPC that it sends requests to while they are healthy. */
export function targets(store: Store, balancer: LoadBalancerRecord): DropletRecord[] {
  const { tag, dropletIds } = balancer;
  return store.droplets.filter(
    (droplet) =>
      droplet.vpcId === balancer.vpcId &&
      (tag === undefined ? dropletIds.includes(droplet.id) : hasTag(droplet, tag)),
  );
}

export function findLoadBalancer(store: Store, id: string): LoadBalancerRecord | undefined {
  const balancer = store.loadBalancers.get(id);
  return balancer?.deleting ? undefined : balancer;
}

export function loadBalancerSpec(store: Store, balancer: LoadBalancerRecord): LoadBalancerSpec {
  const { id, name, vpcId, privateIp, sizeUnit, rules, healthCheck, algorithm } = balancer;
  return {
    id,
    name,
    vpcId,
    privateIp,
    nodes: sizeUnit,
    rules: rules.map(({ certificateId, ...rule }) => {
      const certificate = certificateId && store.certificates.get(certificateId);
      return { ...rule, certificatePem: certificate ? serverPem(certificate) : undefined };
    }),
    healthCheck,
    algorithm,
    stickyCookie: balancer.stickyCookie,
    redirectHttpToHttps: balancer.redirectHttpToHttps,
    proxyProtocol: balancer.proxyProtocol,
    backendKeepalive: balancer.backendKeepalive,
    httpIdleTimeoutSeconds: balancer.httpIdleTimeoutSeconds,
    deny: balancer.deny.map(asCidr),
    targets: targets(store, balancer).map((droplet) => ({
      dropletId: droplet.id,
      privateIp: droplet.privateIp,
    })),
  };
}

/** Makes the account's domains lead to its certificates' names, and no others; call inside a transaction. */
export function syncNames(store: Store, id: string): void {
  const balancer = store.loadBalancers.get(id);
  if (balancer?.status !== "active") return;
  const { dnsRecords, dnsRecordIds, rules, publicIp } = balancer;
  unpointNames(store, dnsRecordIds);
  const names = letsEncryptNames(
    store,
    rules.map(({ certificateId }) => certificateId),
  );
  store.loadBalancers.patch(id, {
    dnsRecordIds: dnsRecords ? pointNames(store, names, publicIp) : [],
  });
}

export function loadBalancerView(store: Store, balancer: LoadBalancerRecord) {
  const { healthCheck: check, stickyCookie, tag } = balancer;
  return {
    id: balancer.id,
    name: balancer.name,
    project_id: projectOf(store, loadBalancerUrn(balancer)),
    // As at DigitalOcean, the address is not known before the balancer is active.
    ip: balancer.status === "active" ? (balancer.publicIp ?? balancer.privateIp) : "",
    ipv6: "",
    size_unit: balancer.sizeUnit,
    algorithm: balancer.algorithm,
    status: balancer.status,
    created_at: timestamp(new Date(balancer.createdAt)),
    forwarding_rules: balancer.rules.map(ruleView),
    health_check: {
      protocol: check.protocol,
      port: check.port,
      path: check.path,
      check_interval_seconds: check.intervalSeconds,
      response_timeout_seconds: check.timeoutSeconds,
      healthy_threshold: check.healthyThreshold,
      unhealthy_threshold: check.unhealthyThreshold,
    },
    sticky_sessions: stickyCookie
      ? {
          type: "cookies",
          cookie_name: stickyCookie.name,
          cookie_ttl_seconds: stickyCookie.ttlSeconds,
        }
      : { type: "none" },
    region: regionView(balancer.region),
    ...(tag !== undefined && { tag }),
    droplet_ids: targets(store, balancer).map(({ id }) => id),
    redirect_http_to_https: balancer.redirectHttpToHttps,
    enable_proxy_protocol: balancer.proxyProtocol,
    enable_backend_keepalive: balancer.backendKeepalive,
    http_idle_timeout_seconds: balancer.httpIdleTimeoutSeconds,
    vpc_uuid: balancer.vpcId,
    disable_lets_encrypt_dns_records: !balancer.dnsRecords,
    firewall: { allow: balancer.allow, deny: balancer.deny },
    network: balancer.network,
    network_stack: "IPV4",
    type: "REGIONAL",
    tls_cipher_policy: balancer.tlsCipherPolicy,
  };
}

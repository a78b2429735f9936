import type { LoadBalancerSpec } from "../../machines/machines";
import { regionView } from "../catalogue/regions";
import { timestamp } from "../context";
import type { DropletRecord } from "../droplets/model";
import { asCidr } from "./addresses";
import { projectOf } from "../projects/model";
import type { Store } from "../store";
import { hasTag } from "../tags/model";

export interface ForwardingRule {
  readonly entryProtocol: "http" | "tcp";
  readonly entryPort: number;
  readonly targetProtocol: "http" | "tcp";
  readonly targetPort: number;
}

export interface LoadBalancerRecord {
  readonly id: string;
  readonly name: string;
  /** Slug. */
  readonly region: string;
  readonly vpcId: string;
  readonly privateIp: string;
  readonly publicIp: string;
  readonly sizeUnit: number;
  readonly algorithm: "round_robin" | "least_connections";
  readonly rules: readonly ForwardingRule[];
  readonly healthCheck: LoadBalancerSpec["healthCheck"];
  readonly stickyCookie: LoadBalancerSpec["stickyCookie"];
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
    rules: rules.map((rule) => ({ ...rule, tlsPassthrough: false, certificatePem: undefined })),
    healthCheck,
    algorithm,
    stickyCookie: balancer.stickyCookie,
    redirectHttpToHttps: false,
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

export function loadBalancerView(store: Store, balancer: LoadBalancerRecord) {
  const { healthCheck: check, stickyCookie, tag } = balancer;
  return {
    id: balancer.id,
    name: balancer.name,
    project_id: projectOf(store, loadBalancerUrn(balancer)),
    // As at DigitalOcean, the address is not known before the balancer is active.
    ip: balancer.status === "active" ? balancer.publicIp : "",
    ipv6: "",
    size_unit: balancer.sizeUnit,
    size: "lb-small",
    algorithm: balancer.algorithm,
    status: balancer.status,
    created_at: timestamp(new Date(balancer.createdAt)),
    forwarding_rules: balancer.rules.map((rule) => ({
      entry_protocol: rule.entryProtocol,
      entry_port: rule.entryPort,
      target_protocol: rule.targetProtocol,
      target_port: rule.targetPort,
      certificate_id: "",
      tls_passthrough: false,
    })),
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
    redirect_http_to_https: false,
    enable_proxy_protocol: balancer.proxyProtocol,
    enable_backend_keepalive: balancer.backendKeepalive,
    http_idle_timeout_seconds: balancer.httpIdleTimeoutSeconds,
    vpc_uuid: balancer.vpcId,
    disable_lets_encrypt_dns_records: false,
    firewall: { allow: balancer.allow, deny: balancer.deny },
    network: "EXTERNAL",
    network_stack: "IPV4",
    type: "REGIONAL",
    tls_cipher_policy: "DEFAULT",
  };
}

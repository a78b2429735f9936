import { z } from "zod";
import { timestamp } from "../context";
import { unprocessable } from "../errors";
import { parse } from "../input";
import { projectOf } from "../projects/model";
import type { Store } from "../store";
import { pointNames, unpointNames } from "./dns";
import { commonInput } from "./input";
import { findLoadBalancer, type LoadBalancerRecord, loadBalancerUrn } from "./model";

/** A Load Balancer in front of regional ones. */
export interface GlobalLoadBalancerRecord {
  readonly id: string;
  readonly name: string;
  readonly publicIp: string;
  readonly domains: readonly {
    readonly name: string;
    /** Whether its A record is made by DigitalOcean. */
    readonly isManaged: boolean;
    readonly certificateId: string | undefined;
  }[];
  readonly targetProtocol: "http" | "https" | "http2";
  readonly targetPort: number;
  readonly cdn: boolean;
  /** Region slug → priority; the lowest number first. */
  readonly regionPriorities: Readonly<Record<string, number>>;
  /** Percent. */
  readonly failoverThreshold: number;
  readonly targetIds: readonly string[];
  readonly dnsRecordIds: readonly number[];
  readonly status: "new" | "active" | "errored";
  readonly deleting: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
}

const port = z.number().int().min(1).max(65_535);

const body = z.object({
  ...commonInput,
  type: z.literal("GLOBAL"),
  domains: z
    .array(
      z.object({
        name: z.string(),
        is_managed: z.boolean().nullish(),
        certificate_id: z.string().nullish(),
      }),
    )
    .nullish(),
  glb_settings: z.object(
    {
      target_protocol: z.enum(["http", "https", "http2"]),
      target_port: port,
      cdn: z.object({ is_enabled: z.boolean().nullish() }).nullish(),
      region_priorities: z.record(z.string(), z.number().int().min(1)).nullish(),
      failover_threshold: z.number().int().min(0).max(99).nullish(),
    },
    { error: "glb_settings is required for a global load balancer" },
  ),
  target_load_balancer_ids: z.array(z.string()).nullish(),
  forwarding_rules: z
    .array(z.unknown())
    .max(0, "a global load balancer takes glb_settings instead of forwarding_rules")
    .nullish(),
});

export type GlobalInput = Omit<
  GlobalLoadBalancerRecord,
  "id" | "publicIp" | "dnsRecordIds" | "status" | "deleting" | "createdAt"
> & { readonly projectId: string | undefined };

/** @throws {ApiError} 422. */
export function readGlobal(store: Store, given: unknown): GlobalInput {
  const input = parse(body, given);
  const { glb_settings: settings, target_load_balancer_ids: targets } = input;
  for (const id of targets ?? [])
    if (!findLoadBalancer(store, id))
      throw unprocessable(`target_load_balancer_ids: load balancer ${id} does not exist`);
  const domains = (input.domains ?? []).map((domain) => ({
    name: domain.name.toLowerCase(),
    isManaged: domain.is_managed ?? false,
    certificateId: domain.certificate_id || undefined,
  }));
  for (const { certificateId } of domains)
    if (certificateId && !store.certificates.get(certificateId))
      throw unprocessable(`domains: certificate ${certificateId} does not exist`);
  return {
    name: input.name,
    domains,
    targetProtocol: settings.target_protocol,
    targetPort: settings.target_port,
    cdn: settings.cdn?.is_enabled ?? false,
    regionPriorities: settings.region_priorities ?? {},
    failoverThreshold: settings.failover_threshold ?? 0,
    targetIds: [...new Set(targets ?? [])],
    projectId: input.project_id ?? undefined,
  };
}

export function findGlobal(store: Store, id: string): GlobalLoadBalancerRecord | undefined {
  const balancer = store.globalLoadBalancers.get(id);
  return balancer?.deleting ? undefined : balancer;
}

/** The regional Load Balancer that its clients are led to: of those that are active, the one whose region comes first. */
export function firstTarget(
  { targetIds, regionPriorities }: GlobalLoadBalancerRecord,
  balancers: readonly LoadBalancerRecord[],
): LoadBalancerRecord | undefined {
  const priority = ({ region }: LoadBalancerRecord) => regionPriorities[region] ?? Infinity;
  return balancers
    .filter(({ id, status }) => targetIds.includes(id) && status === "active")
    .sort((a, b) =>
      priority(a) === priority(b)
        ? targetIds.indexOf(a.id) - targetIds.indexOf(b.id)
        : priority(a) - priority(b),
    )[0];
}

/** Makes the domains that it manages lead to it; call inside a transaction. */
export function syncGlobalNames(store: Store, id: string): void {
  const balancer = store.globalLoadBalancers.get(id);
  if (balancer?.status !== "active") return;
  unpointNames(store, balancer.dnsRecordIds);
  const managed = balancer.domains.filter(({ isManaged }) => isManaged).map(({ name }) => name);
  store.globalLoadBalancers.patch(id, {
    dnsRecordIds: pointNames(store, managed, balancer.publicIp),
  });
}

export const globalView = (store: Store, balancer: GlobalLoadBalancerRecord) => ({
  id: balancer.id,
  name: balancer.name,
  project_id: projectOf(store, loadBalancerUrn(balancer)),
  ip: balancer.status === "active" ? balancer.publicIp : "",
  ipv6: "",
  status: balancer.status,
  created_at: timestamp(new Date(balancer.createdAt)),
  type: "GLOBAL",
  network: "EXTERNAL",
  network_stack: "IPV4",
  domains: balancer.domains.map((domain) => ({
    name: domain.name,
    is_managed: domain.isManaged,
    certificate_id: domain.certificateId ?? "",
  })),
  glb_settings: {
    target_protocol: balancer.targetProtocol,
    target_port: balancer.targetPort,
    cdn: { is_enabled: balancer.cdn },
    region_priorities: balancer.regionPriorities,
    failover_threshold: balancer.failoverThreshold,
  },
  target_load_balancer_ids: balancer.targetIds,
  droplet_ids: [],
});

import type { Notifications } from "../notifications";

const droplet = [
  "load_1",
  "load_5",
  "load_15",
  "memory_utilization_percent",
  "disk_utilization_percent",
  "cpu",
  "disk_read",
  "disk_write",
  "public_outbound_bandwidth",
  "public_inbound_bandwidth",
  "private_outbound_bandwidth",
  "private_inbound_bandwidth",
];
const loadBalancer = [
  "avg_cpu_utilization_percent",
  "connection_utilization_percent",
  "droplet_health",
  "tls_connections_per_second_utilization_percent",
  "increase_in_http_error_rate_percentage_5xx",
  "increase_in_http_error_rate_percentage_4xx",
  "increase_in_http_error_rate_count_5xx",
  "increase_in_http_error_rate_count_4xx",
  "high_http_request_response_time",
  "high_http_request_response_time_50p",
  "high_http_request_response_time_95p",
  "high_http_request_response_time_99p",
];
const database = ["load_15", "memory_utilization", "disk_utilization", "cpu"];
const autoscale = [
  "current_instances",
  "target_instances",
  "current_cpu_utilization",
  "target_cpu_utilization",
  "current_memory_utilization",
  "target_memory_utilization",
  "scale_up",
  "scale_down",
];

/** `type` of an alert policy in DigitalOcean's API description. */
export const alertTypes: readonly string[] = [
  ...droplet.map((metric) => `v1/insights/droplet/${metric}`),
  ...loadBalancer.map((metric) => `v1/insights/lbaas/${metric}`),
  ...database.map((metric) => `v1/dbaas/alerts/${metric}_alerts`),
  ...autoscale.map((metric) => `v1/droplet/autoscale_alerts/${metric}`),
];

/** An alert policy. It is kept and shown; no metric is measured locally, so it never tells anybody. */
export interface AlertPolicyRecord {
  readonly id: string;
  readonly type: string;
  readonly description: string;
  readonly compare: "GreaterThan" | "LessThan";
  /** With the precision of 32 bits, as DigitalOcean keeps it (FACTS 23). */
  readonly value: number;
  readonly window: "5m" | "10m" | "30m" | "1h";
  readonly enabled: boolean;
  /** Ids of Droplets, Load Balancers, database clusters. */
  readonly entities: readonly string[];
  readonly tags: readonly string[];
  readonly alerts: Notifications;
}

export const policyView = ({ id, ...policy }: AlertPolicyRecord) => ({ uuid: id, ...policy });

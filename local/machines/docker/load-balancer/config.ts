import type { ForwardingRuleSpec, LoadBalancerSpec } from "../../machines";

/** Where HAProxy is asked about its servers. */
export const STATS_SOCKET = "/run/haproxy.sock";
/** What HAProxy is told, when it starts, about servers it had before. */
export const STATE_FILE = "/etc/haproxy/servers.state";

const CONNECTIONS_PER_NODE = 10_000;

export const backendName = ({ entryPort }: ForwardingRuleSpec) => `port-${entryPort}`;
export const serverName = (dropletId: number) => `droplet-${dropletId}`;

/**
 * A Load Balancer as HAProxy's configuration: as DigitalOcean's, it adds X-Forwarded headers, ends idle
 * connections, and repeats no request.
 *
 * https://docs.digitalocean.com/products/networking/load-balancers/
 */
export function renderConfig(balancer: LoadBalancerSpec): string {
  return [
    "global",
    "  log stdout format raw local0 notice",
    `  stats socket ${STATS_SOCKET} mode 600 level admin expose-fd listeners`,
    `  server-state-file ${STATE_FILE}`,
    `  maxconn ${balancer.nodes * CONNECTIONS_PER_NODE}`,
    // The machine's limit of open files is its owner's affair.
    "  no strict-limits",
    // A reload leaves the old process to its connections for as long.
    `  hard-stop-after ${balancer.httpIdleTimeoutSeconds}s`,
    "defaults",
    "  load-server-state-from-file global",
    "  timeout connect 5s",
    `  timeout client ${balancer.httpIdleTimeoutSeconds}s`,
    `  timeout server ${balancer.httpIdleTimeoutSeconds}s`,
    `  timeout check ${balancer.healthCheck.timeoutSeconds}s`,
    "  retries 0",
    ...balancer.rules.flatMap((rule) => ruleLines(balancer, rule)),
    "",
  ].join("\n");
}

function ruleLines(balancer: LoadBalancerSpec, rule: ForwardingRuleSpec): string[] {
  const http = rule.entryProtocol === "http";
  const backend = backendName(rule);
  return [
    `frontend entry-${rule.entryPort}`,
    `  mode ${http ? "http" : "tcp"}`,
    `  bind :${rule.entryPort}`,
    ...balancer.deny.map((cidr) => `  tcp-request connection reject if { src ${cidr} }`),
    ...(http
      ? [
          "  option forwardfor",
          "  http-request set-header X-Forwarded-Proto http",
          `  http-request set-header X-Forwarded-Port ${rule.entryPort}`,
        ]
      : []),
    `  default_backend ${backend}`,
    `backend ${backend}`,
    `  mode ${http ? "http" : "tcp"}`,
    `  balance ${balancer.algorithm === "least_connections" ? "leastconn" : "roundrobin"}`,
    ...(http
      ? [balancer.backendKeepalive ? "  http-reuse safe" : "  option http-server-close"]
      : []),
    ...(http ? stickyLines(balancer) : []),
    ...checkLines(balancer),
    ...balancer.targets.map((target) => serverLine(balancer, rule, target)),
  ];
}

function stickyLines({ stickyCookie }: LoadBalancerSpec): string[] {
  if (stickyCookie === undefined) return [];
  const { name, ttlSeconds } = stickyCookie;
  return [`  cookie ${name} insert indirect nocache httponly maxlife ${ttlSeconds}s`];
}

function checkLines({ healthCheck }: LoadBalancerSpec): string[] {
  const { protocol, path, intervalSeconds, healthyThreshold, unhealthyThreshold } = healthCheck;
  const every = `  default-server inter ${intervalSeconds}s rise ${healthyThreshold} fall ${unhealthyThreshold}`;
  if (protocol === "tcp") return [every];
  return [
    "  option httpchk",
    `  http-check send meth GET uri ${path} ver HTTP/1.1 hdr host localhost hdr connection close`,
    "  http-check expect status 200-399",
    every,
  ];
}

function serverLine(
  { healthCheck, proxyProtocol, stickyCookie }: LoadBalancerSpec,
  rule: ForwardingRuleSpec,
  { dropletId, privateIp }: LoadBalancerSpec["targets"][number],
): string {
  return [
    `  server ${serverName(dropletId)} ${privateIp}:${rule.targetPort} check port ${healthCheck.port}`,
    healthCheck.protocol === "https" ? "check-ssl verify none" : "",
    proxyProtocol ? "send-proxy" : "",
    stickyCookie ? `cookie ${serverName(dropletId)}` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

import { createHash } from "node:crypto";
import type { ForwardingRuleSpec, LoadBalancerSpec } from "../../machines";
import type { ArchiveFile } from "../files";

/** HAProxy's command socket inside the container. */
export const ADMIN_SOCKET = "/run/haproxy.sock";
/** Folder of the configuration inside the container. */
export const CONFIG_DIR = "/etc/archipelago/balancer";
/** File with the health of targets at the time of a reload, beside the configuration. */
export const STATE_FILE = "servers.state";

/** https://docs.digitalocean.com/products/networking/load-balancers/details/pricing/ */
const CONNECTIONS_PER_NODE = 10_000;
/** More threads than a developer's machine has processors to spare only cost memory. */
const MAX_THREADS = 4;
const CONNECT_TIMEOUT_SECONDS = 5;

/** A Load Balancer's files, and what tells them from any others. */
export interface BalancerFiles {
  /** Hexadecimal digest that the running HAProxy reports as its description. */
  readonly digest: string;
  /** Names are relative to the folder of `haproxy.cfg`. */
  readonly files: readonly ArchiveFile[];
}

/**
 * A Load Balancer as HAProxy's configuration, with what DigitalOcean documents: X-Forwarded-For, -Proto and
 * -Port where it reads HTTP, a sticky cookie that targets never see, no retries, PROXY protocol version 1 for
 * traffic and health checks alike, TLS 1.2 or newer.
 * https://docs.digitalocean.com/products/networking/load-balancers/details/limits/
 *
 * @throws {Error} when a rule needs a certificate and has none.
 */
export function balancerFiles(balancer: LoadBalancerSpec): BalancerFiles {
  const certificates = balancer.rules.flatMap((rule) =>
    terminatesTls(rule)
      ? [{ name: certificateFile(rule), content: requireCertificate(rule), mode: 0o600 }]
      : [],
  );
  const sections = [
    defaultsSection(balancer),
    healthSection(balancer),
    ...balancer.rules.flatMap((rule) => [
      frontendSection(balancer, rule),
      targetSection(balancer, rule),
    ]),
  ];
  const hash = createHash("sha256").update(String(balancer.nodes)).update(sections.join("\n"));
  for (const { content } of certificates) hash.update(content);
  const digest = hash.digest("hex").slice(0, 16);
  const config = `${[globalSection(balancer, digest), ...sections].join("\n\n")}\n`;
  return {
    digest,
    files: [{ name: "haproxy.cfg", content: config, mode: 0o600 }, ...certificates],
  };
}

function globalSection({ nodes }: LoadBalancerSpec, digest: string): string {
  return section("global", [
    `description ${digest}`,
    "default-path config",
    `stats socket ${ADMIN_SOCKET} mode 600 level admin expose-fd listeners`,
    `server-state-file ${CONFIG_DIR}/${STATE_FILE}`,
    "user haproxy",
    "group haproxy",
    `maxconn ${nodes * CONNECTIONS_PER_NODE}`,
    // Where the engine allows fewer open files, fewer connections are better than none.
    "no strict-limits",
    `nbthread ${Math.min(nodes, MAX_THREADS)}`,
    "mworker-max-reloads 50",
    "tune.ssl.default-dh-param 2048",
    "ssl-default-bind-options ssl-min-ver TLSv1.2",
    "ssl-default-server-options ssl-min-ver TLSv1.2",
  ]);
}

function defaultsSection(balancer: LoadBalancerSpec): string {
  const idle = balancer.httpIdleTimeoutSeconds;
  return section("defaults", [
    "mode http",
    "load-server-state-from-file global",
    "retries 0",
    `timeout connect ${CONNECT_TIMEOUT_SECONDS}s`,
    `timeout queue ${CONNECT_TIMEOUT_SECONDS}s`,
    ...["client", "server", "tunnel", "http-request", "http-keep-alive"].map(
      (what) => `timeout ${what} ${idle}s`,
    ),
    // A reload must not close a kept connection on which a client is just asking again.
    "option idle-close-on-response",
    balancer.backendKeepalive ? "option http-keep-alive" : "option http-server-close",
  ]);
}

/** The only servers that are checked; those that get traffic follow them. */
function healthSection(balancer: LoadBalancerSpec): string {
  const { protocol, port, path, ...check } = balancer.healthCheck;
  const options = [
    "check",
    `inter ${check.intervalSeconds}s`,
    `rise ${check.healthyThreshold}`,
    `fall ${check.unhealthyThreshold}`,
    ...(protocol === "https" ? ["check-ssl verify none"] : []),
    ...(balancer.proxyProtocol ? ["check-send-proxy"] : []),
  ].join(" ");
  const request =
    protocol === "tcp"
      ? ["mode tcp"]
      : [
          "option httpchk",
          `http-check send meth GET uri ${quoted(path)} ver HTTP/1.1 hdr host localhost hdr connection close`,
        ];
  return section("backend health", [
    ...request,
    `timeout check ${check.timeoutSeconds}s`,
    ...balancer.targets.map(
      ({ dropletId, privateIp }) =>
        `server ${serverName(dropletId)} ${privateIp}:${port} ${options}`,
    ),
  ]);
}

function frontendSection(balancer: LoadBalancerSpec, rule: ForwardingRuleSpec): string {
  const tls = terminatesTls(rule);
  const protocols = rule.entryProtocol === "http2" ? "h2,http/1.1" : "http/1.1";
  const scheme = rule.entryProtocol === "http" ? "http" : "https";
  const redirects =
    balancer.redirectHttpToHttps && rule.entryProtocol === "http" && rule.entryPort === 80;
  return section(`frontend entry-${rule.entryPort}`, [
    `bind :${rule.entryPort}${tls ? ` ssl crt ${certificateFile(rule)} alpn ${protocols}` : ""}`,
    ...balancer.deny.map((cidr) => `tcp-request connection reject if { src ${cidr} }`),
    ...(readsHttp(rule)
      ? [
          ...(redirects ? ["http-request redirect scheme https code 307"] : []),
          "option forwardfor",
          `http-request set-header X-Forwarded-Proto ${scheme}`,
          `http-request set-header X-Forwarded-Port ${rule.entryPort}`,
        ]
      : ["mode tcp"]),
    `default_backend targets-${rule.entryPort}`,
  ]);
}

function targetSection(balancer: LoadBalancerSpec, rule: ForwardingRuleSpec): string {
  const http = readsHttp(rule);
  const sticky = http ? balancer.stickyCookie : undefined;
  const options = [
    ...(balancer.proxyProtocol ? ["send-proxy"] : []),
    // DigitalOcean does not say that it verifies Droplets' certificates, and Droplets have none to trust.
    ...(http && rule.targetProtocol === "https" ? ["ssl verify none alpn http/1.1"] : []),
    ...(http && rule.targetProtocol === "http2" ? ["ssl verify none alpn h2"] : []),
  ];
  return section(`backend targets-${rule.entryPort}`, [
    ...(http ? [] : ["mode tcp"]),
    `balance ${balancer.algorithm === "least_connections" ? "leastconn" : "roundrobin"}`,
    ...(sticky
      ? [
          `cookie ${quoted(sticky.name)} insert indirect nocache httponly attr "Max-Age=${sticky.ttlSeconds}"`,
        ]
      : []),
    ...balancer.targets.map(({ dropletId, privateIp }) => {
      const name = serverName(dropletId);
      const own = [...options, ...(sticky ? [`cookie ${name}`] : [])];
      return [`server ${name} ${privateIp}:${rule.targetPort} track health/${name}`, ...own].join(
        " ",
      );
    }),
  ]);
}

function terminatesTls(rule: ForwardingRuleSpec): boolean {
  const encrypted = rule.entryProtocol === "https" || rule.entryProtocol === "http2";
  return encrypted && !rule.tlsPassthrough;
}

/** Whether requests are read; else bytes are passed on. */
function readsHttp(rule: ForwardingRuleSpec): boolean {
  return rule.entryProtocol !== "tcp" && !rule.tlsPassthrough;
}

function certificateFile({ entryPort }: ForwardingRuleSpec): string {
  return `${entryPort}.pem`;
}

function requireCertificate(rule: ForwardingRuleSpec): string {
  if (rule.certificatePem !== undefined) return rule.certificatePem;
  throw new Error(`the forwarding rule of port ${rule.entryPort} has no certificate`);
}

export function serverName(dropletId: number): string {
  return `droplet-${dropletId}`;
}

/** One word of HAProxy's configuration. */
function quoted(text: string): string {
  return `'${text.replaceAll(/\p{Cc}/gu, "").replaceAll("'", `'\\''`)}'`;
}

function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`)].join("\n");
}

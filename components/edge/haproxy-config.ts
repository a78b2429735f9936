import type { EdgeRoute, EdgeSettings } from "./settings";
import { COMMON_STATUSES } from "./pages";

/** What the agent knows about one certificate file when it renders. */
export interface CertificateInUse {
  readonly name: string;
  /** False for the self-signed placeholder: no redirect to HTTPS yet. */
  readonly issued: boolean;
  /** Changes with the file, so that the text changes and HAProxy is reloaded. */
  readonly fingerprint: string;
}

/** Server slots beyond the replicas: during a start-first deploy old and new containers are in DNS together. */
const SLOTS_MINIMUM = 16;

/** Mozilla "intermediate" 5.7 (https://wiki.mozilla.org/Security/Server_Side_TLS). */
const TLS_CIPHERS =
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
  "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
const TLS_SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

const ACCESS_LOG = [
  '{"time":%Ts.%ms,"type":"access"',
  '"node":"%[env(NODE_NAME),json(utf8s)]"',
  '"client":"%[var(txn.client)]"',
  '"method":"%HM"',
  '"host":"%[var(txn.host),json(utf8s)]"',
  '"path":"%[var(txn.path),json(utf8s)]"',
  '"protocol":"%HV"',
  '"tls":"%sslv"',
  '"status":%ST',
  '"bytes":%B',
  '"backend":"%b"',
  '"server":"%s"',
  '"ms":{"request":%TR,"queue":%Tw,"connect":%Tc,"response":%Tr,"total":%Ta}',
  '"retries":"%rc"',
  '"end":"%ts"',
  '"requestId":"%ID"}',
].join(",");

/**
 * The whole haproxy.cfg, valid for HAProxy 2.6 (Debian 12) to 3.2 (the official image).
 *
 * The query string is not logged: it may hold tokens. Request heads are limited by HAProxy's buffer (16 KiB).
 *
 * @param certificates One for each of `settings.names`; empty means that nothing listens for HTTPS.
 */
export function renderHaproxyConfig(
  settings: EdgeSettings,
  certificates: readonly CertificateInUse[],
): string {
  const stamps = certificates.map((one) => `${one.name}=${one.fingerprint}`).join(" ");
  return [
    `# Written by edge-agent: changes made here are lost. Certificates: ${stamps || "none"}`,
    ...globalSection(settings),
    ...defaultsSection(settings),
    ...publicFrontend(settings, certificates),
    ...internalFrontend(settings),
    ...backends(settings).flatMap((route) => backend(settings, route)),
    ...agentBackend(settings),
    ...gateBackend(settings),
    ...noRouteBackend(settings),
    "",
  ].join("\n");
}

const page = (settings: EdgeSettings, status: string, file = status) =>
  `status ${status} content-type "text/html; charset=utf-8" lf-file ${settings.runDir}/errors/${file}.html`;

function globalSection(settings: EdgeSettings): string[] {
  return [
    "global",
    "    log stdout len 4096 format raw local0 info",
    `    maxconn ${settings.maxConnections}`,
    "    no strict-limits",
    "    hard-stop-after 15m",
    `    server-state-file ${settings.runDir}/server-state`,
    "    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
    `    ssl-default-bind-ciphers ${TLS_CIPHERS}`,
    `    ssl-default-bind-ciphersuites ${TLS_SUITES}`,
    "",
    "resolvers docker",
    `    nameserver docker ${settings.resolver}`,
    "    accepted_payload_size 8192",
    "    resolve_retries 3",
    "    timeout resolve 500ms",
    "    timeout retry 500ms",
    "    hold valid 1s",
    "    hold obsolete 0s",
    "    hold nx 5s",
    "    hold refused 30s",
    "    hold timeout 30s",
    "    hold other 30s",
    "",
  ];
}

function defaultsSection(settings: EdgeSettings): string[] {
  return [
    "defaults",
    "    mode http",
    "    log global",
    "    option dontlognull",
    "    option idle-close-on-response",
    "    option redispatch 1",
    "    retries 3",
    "    retry-on conn-failure empty-response",
    "    timeout connect 2s",
    "    timeout queue 10s",
    "    timeout http-request 10s",
    "    timeout http-keep-alive 30s",
    "    timeout client 60s",
    "    timeout client-fin 30s",
    "    timeout server 60s",
    "    timeout tunnel 1h",
    "    load-server-state-from-file global",
    "    default-server check inter 2s fastinter 500ms downinter 500ms fall 2 rise 1 " +
      "resolvers docker resolve-prefer ipv4 init-addr last,none",
    ...COMMON_STATUSES.map((status) => `    http-error ${page(settings, status)}`),
    "",
  ];
}

function publicFrontend(
  settings: EdgeSettings,
  certificates: readonly CertificateInUse[],
): string[] {
  const { address, http, https } = settings.listen;
  const redirected = certificates.filter((one) => one.issued).map((one) => one.name);
  return [
    "frontend public",
    `    bind ${address}:${http}`,
    ...(certificates.length > 0
      ? [
          `    bind ${address}:${https} ssl crt ${settings.runDir}/default.pem ` +
            `crt ${settings.runDir}/certs/ alpn h2,http/1.1`,
        ]
      : []),
    `    log-format '${ACCESS_LOG}'`,
    "    unique-id-format %[uuid()]",
    ...frontRules(settings),
    "    http-request set-var(txn.host) req.hdr(host),field(1,:),lower",
    "    http-request set-var(txn.path) path",
    "    acl acme_challenge path_beg /.well-known/acme-challenge/",
    ...(redirected.length > 0
      ? [
          `    http-request redirect scheme https code 308 if !acme_challenge !{ ssl_fc } ` +
            `{ var(txn.host) -m str ${redirected.join(" ")} }`,
        ]
      : []),
    `    http-request return ${page(settings, "413")} if { req.body_size gt ${settings.maxBodyMib * 1024 * 1024} }`,
    "    http-request set-header X-Request-ID %[unique-id]",
    "    http-request set-header X-Forwarded-For %[var(txn.client)]",
    "    http-request set-header X-Forwarded-Host %[req.hdr(host)]",
    "    http-request set-header X-Forwarded-Proto %[var(txn.proto)]",
    "    http-request set-header Forwarded for=%[var(txn.client)];proto=%[var(txn.proto)]",
    "    http-request del-header Proxy",
    "    http-response del-header Keep-Alive",
    "    http-after-response set-header X-Request-ID %[unique-id]",
    "    http-after-response set-header X-Content-Type-Options nosniff",
    "    use_backend edge-agent if acme_challenge",
    ...sortedRoutes(settings.routes).flatMap(routeRules),
    "    default_backend no-route",
    "",
  ];
}

/** Who asks, and what a Load Balancer in front is told. */
function frontRules({ front }: EdgeSettings): string[] {
  const direct = [
    "    http-request set-var(txn.client) src",
    "    http-request set-var(txn.proto) str(http)",
    "    http-request set-var(txn.proto) str(https) if { ssl_fc }",
  ];
  if (front === undefined) return direct;
  const from = `{ src ${front.range} }`;
  return [
    `    acl front_health path ${front.healthPath}`,
    "    http-request set-log-level silent if front_health",
    "    http-request return status 503 content-type text/plain string draining if front_health !{ nbsrv(gate) ge 1 }",
    "    http-request return status 200 content-type text/plain string ok if front_health",
    ...direct,
    `    http-request set-var(txn.client) req.hdr_ip(x-forwarded-for,-1) if ${from} { req.hdr(x-forwarded-for) -m found }`,
    `    http-request set-var(txn.proto) str(https) if ${from} { req.hdr(x-forwarded-proto) -m str https }`,
  ];
}

/** Goes away as soon as the proxy is asked to stop, long before it does. */
function gateBackend({ front, listen }: EdgeSettings): string[] {
  if (front === undefined) return [];
  return [
    "backend gate",
    `    server gate 127.0.0.1:${listen.gate} check inter 500ms fall 1 rise 1`,
    "",
  ];
}

/** Named hosts before any host, long paths before short ones; otherwise as the stack file says. */
function sortedRoutes(routes: readonly EdgeRoute[]) {
  return routes
    .flatMap((route) => (route.paths ?? ["/"]).map((path) => ({ ...route, path })))
    .sort(
      (a, b) =>
        Number((b.hosts ?? []).length > 0) - Number((a.hosts ?? []).length > 0) ||
        b.path.length - a.path.length,
    );
}

function routeRules(route: EdgeRoute & { readonly path: string }, index: number): string[] {
  const prefix = route.path.replace(/\/+$/, "");
  const conditions = [
    ...((route.hosts ?? []).length > 0
      ? [`{ var(txn.host) -m str ${(route.hosts ?? []).join(" ").toLowerCase()} }`]
      : []),
    ...(prefix === "" ? [] : [`route${index}`]),
  ];
  return [
    ...(prefix === ""
      ? []
      : [`    acl route${index} path ${prefix}`, `    acl route${index} path_beg ${prefix}/`]),
    `    use_backend ${backendName(route)}${conditions.length > 0 ? ` if ${conditions.join(" ")}` : ""}`,
  ];
}

function internalFrontend(settings: EdgeSettings): string[] {
  return [
    "frontend internal",
    `    bind 127.0.0.1:${settings.listen.internal}`,
    "    no log",
    '    http-request return status 200 content-type text/plain string "ok" if { path /healthz }',
    "    stats enable",
    "    stats uri /stats",
    "",
  ];
}

const backendName = (route: EdgeRoute) => `${route.service}-${route.port}`;

/** One backend for each service and port, however many routes lead there. */
function backends(settings: EdgeSettings): EdgeRoute[] {
  return [...new Map(settings.routes.map((route) => [backendName(route), route])).values()];
}

function backend(settings: EdgeSettings, route: EdgeRoute): string[] {
  const slots = Math.max(SLOTS_MINIMUM, 2 * (route.replicas ?? 1) + 2);
  return [
    `backend ${backendName(route)}`,
    "    balance leastconn",
    "    option httpchk",
    `    http-check send meth GET uri ${route.health?.path ?? "/"} ver HTTP/1.1 ` +
      `hdr Host ${settings.names[0] ?? "localhost"} hdr User-Agent archipelago-edge`,
    "    http-check expect status 200-399",
    "    http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
    `    http-error ${page(settings, "503", `503-${route.service}`)}`,
    `    server-template ${route.service}- ${slots} tasks.${route.service}:${route.port}`,
    "",
  ];
}

function agentBackend(settings: EdgeSettings): string[] {
  return [
    "backend edge-agent",
    `    server agent unix@${settings.runDir}/agent.sock no-check init-addr none`,
    "",
  ];
}

function noRouteBackend(settings: EdgeSettings): string[] {
  return ["backend no-route", `    http-request return ${page(settings, "404")}`];
}

import { CACHES, backendPair, backends, cacheSection, limitTable } from "./haproxy-backend";
import { type CertificateInUse, publicFrontend } from "./haproxy-frontend";
import { nodeStateFile } from "./node-state";
import { COMMON_STATUSES, pageAnswer } from "./pages";
import type { EdgeSettings } from "./settings";

/** Mozilla "intermediate" 5.7 (https://wiki.mozilla.org/Security/Server_Side_TLS). */
const TLS_CIPHERS =
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
  "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
const TLS_SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

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
    ...(settings.routes.some(({ cachePaths = [] }) => cachePaths.length > 0)
      ? CACHES.flatMap(cacheSection)
      : []),
    ...publicFrontend(settings, certificates),
    ...internalFrontend(settings),
    ...backends(settings).flatMap((route) => [
      ...limitTable(route),
      ...backendPair(settings, route),
    ]),
    ...agentBackend(settings),
    ...noRouteBackend(settings),
    "",
  ].join("\n");
}

function globalSection(settings: EdgeSettings): string[] {
  return [
    "global",
    "    log stdout len 4096 format raw local0 info",
    `    maxconn ${settings.maxConnections}`,
    "    no strict-limits",
    "    hard-stop-after 15m",
    `    lua-load ${nodeStateFile(settings.runDir)}`,
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
    ...COMMON_STATUSES.map((status) => `    http-error ${pageAnswer(settings.runDir, status)}`),
    "",
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

function agentBackend(settings: EdgeSettings): string[] {
  return [
    "backend edge-agent",
    `    server agent unix@${settings.runDir}/agent.sock no-check init-addr none`,
    "",
  ];
}

function noRouteBackend(settings: EdgeSettings): string[] {
  return ["backend no-route", `    http-request return ${pageAnswer(settings.runDir, "404")}`];
}

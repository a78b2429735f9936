import { backendName, backends, pathCondition, uncheckedName } from "./haproxy-backend";
import { NODE_STATE_FETCH, WAITING_VARIABLE } from "./node-state";
import { pageAnswer } from "./pages";
import { type EdgeRoute, type EdgeSettings, HEALTH_PATH } from "./settings";

/** What the agent knows about one certificate file when it renders. */
export interface CertificateInUse {
  readonly name: string;
  /** False for the self-signed placeholder: no redirect to HTTPS yet. */
  readonly issued: boolean;
  /** Changes with the file, so that the text changes and HAProxy is reloaded. */
  readonly fingerprint: string;
}

/** HAProxy takes 64 words a line. */
const ADDRESSES_PER_LINE = 32;

const ACCESS_LOG = [
  '{"time":%Ts.%ms,"type":"access"',
  '"node":"%[env(NODE_NAME),json(utf8s)]"',
  '"client":"%[var(txn.client)]"',
  '"from":"%ci"',
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

/** Where clients come in: who they are, what is refused, and which service answers. */
export function publicFrontend(
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
    ...healthRules(settings),
    ...clientRules(settings),
    "    http-request set-var(txn.host) req.hdr(host),field(1,:),lower",
    "    http-request set-var(txn.path) path",
    ...denyRules(settings),
    "    acl acme_challenge path_beg /.well-known/acme-challenge/",
    ...(redirected.length > 0
      ? [
          `    http-request redirect scheme https code 308 if !acme_challenge !{ var(txn.proto) -m str https } ` +
            `{ var(txn.host) -m str ${redirected.join(" ")} }`,
        ]
      : []),
    `    http-request return ${pageAnswer(settings.runDir, "413")} if { req.body_size gt ${settings.maxBodyMib * 1024 * 1024} }`,
    "    http-request set-header X-Request-ID %[unique-id]",
    "    http-request set-header X-Forwarded-For %[var(txn.client)]",
    "    http-request set-header X-Forwarded-Host %[req.hdr(host)]",
    "    http-request set-header X-Forwarded-Proto %[var(txn.proto)]",
    "    http-request set-header Forwarded for=%[var(txn.client)];proto=%[var(txn.proto)]",
    // RFC 7239 §6: an IPv6 address is quoted and in brackets.
    '    http-request set-header Forwarded "for=\\"[%[var(txn.client)]]\\";proto=%[var(txn.proto)]" if { var(txn.client) -m sub : }',
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

/** Whether this node takes requests, for whatever stands in front of it. Before all else: no route leads here. */
function healthRules(settings: EdgeSettings): string[] {
  return [
    `    acl health path ${HEALTH_PATH}`,
    ...backends(settings).map((route) => `    acl waiting nbsrv(${backendName(route)}) eq 0`),
    "    http-request set-log-level silent if health",
    ...(settings.routes.length > 0
      ? [`    http-request set-var(${WAITING_VARIABLE}) bool(true) if health waiting`]
      : []),
    `    http-request set-var(txn.node_state) ${NODE_STATE_FETCH} if health`,
    "    http-request return status 503 content-type text/plain lf-string %[var(txn.node_state)] " +
      "if health { var(txn.node_state) -m str draining starting }",
    "    http-request return status 200 content-type text/plain string ok if health",
  ];
}

/** Who asks, and how: what a Load Balancer says counts only when it is the Load Balancer that says it. */
function clientRules({ front }: EdgeSettings): string[] {
  const direct = [
    "    http-request set-var(txn.client) src",
    "    http-request set-var(txn.proto) str(http)",
    "    http-request set-var(txn.proto) str(https) if { ssl_fc }",
  ];
  if (front === undefined) return direct;
  return [
    ...direct,
    `    acl from_front src ${front.range}`,
    "    http-request set-var(txn.client) req.hdr_ip(x-forwarded-for,-1) if from_front { req.hdr_ip(x-forwarded-for,-1) -m found }",
    "    http-request set-var(txn.proto) str(https) if from_front { req.hdr(x-forwarded-proto) -m str https }",
  ];
}

function denyRules({ deny, runDir }: EdgeSettings): string[] {
  if (deny.length === 0) return [];
  const lines = Array.from({ length: Math.ceil(deny.length / ADDRESSES_PER_LINE) }, (_, line) =>
    deny.slice(line * ADDRESSES_PER_LINE, (line + 1) * ADDRESSES_PER_LINE),
  );
  return [
    ...lines.map((addresses) => `    acl denied var(txn.client) -m ip ${addresses.join(" ")}`),
    `    http-request return ${pageAnswer(runDir, "403")} if denied`,
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
  const path = pathCondition(`route${index}`, route.path);
  const conditions = [
    ...((route.hosts ?? []).length > 0
      ? [`{ var(txn.host) -m str ${(route.hosts ?? []).join(" ").toLowerCase()} }`]
      : []),
    ...(path.length > 0 ? [`route${index}`] : []),
  ];
  const noneIsWell = [
    `{ nbsrv(${backendName(route)}) eq 0 }`,
    `{ nbsrv(${uncheckedName(route)}) gt 0 }`,
  ];
  return [
    ...path,
    `    use_backend ${uncheckedName(route)} if ${[...conditions, ...noneIsWell].join(" ")}`,
    `    use_backend ${backendName(route)}${conditions.length > 0 ? ` if ${conditions.join(" ")}` : ""}`,
  ];
}

import { pageAnswer } from "./pages";
import type { EdgeRoute, EdgeSettings } from "./settings";

/** Server slots beyond the replicas: during a start-first deploy old and new containers are in DNS together. */
const SLOTS_MINIMUM = 16;

/** Clients that each service's table remembers; the least recent ones make room. */
const LIMIT_CLIENTS = "50k";

/** Serves what is fresh, as the app says. */
const FRESH = "fresh";
/** Holds the same answers for longer: for the time when no task can be asked. */
const STALE = "stale";
const STALE_SECONDS = 24 * 3600;

/** Copies kept in each worker's memory, MiB. A worker that finishes after a reload still holds its own. */
const CACHE_MIB = 32;
const CACHED_OBJECT_BYTES = 1024 * 1024;

/** Sections that services with `cachePaths` share; a copy's key has its host. */
export const CACHES = [FRESH, STALE] as const;

export function cacheSection(name: string): string[] {
  return [
    `cache ${name}`,
    `    total-max-size ${CACHE_MIB}`,
    `    max-object-size ${CACHED_OBJECT_BYTES}`,
    `    max-age ${STALE_SECONDS}`,
    // Answers that differ by Accept-Encoding, Origin or Referer are kept apart, others with Vary not at all.
    "    process-vary on",
    "",
  ];
}

export const backendName = (route: EdgeRoute) => `${route.service}-${route.port}`;

/**
 * The same tasks, believed without a check: for the time when none passes it, yet swarm, whose own health check is more
 * patient, still names them. A slow answer is better than none (Envoy's panic threshold, and what AWS calls fail-open).
 */
export const uncheckedName = (route: EdgeRoute) => `${backendName(route)}-unchecked`;

/** One backend for each service and port, however many routes lead there. */
export function backends(settings: EdgeSettings): EdgeRoute[] {
  return [...new Map(settings.routes.map((route) => [backendName(route), route])).values()];
}

/** `acl` lines that hold for the prefix as whole path segments; none for `/`, which everything has. */
export function pathCondition(acl: string, path: string): string[] {
  const prefix = path.replace(/\/+$/, "");
  if (prefix === "") return [];
  return [
    `    acl ${acl} var(txn.path) -m str ${prefix}`,
    `    acl ${acl} var(txn.path) -m beg ${prefix}/`,
  ];
}

const limitTableName = (route: EdgeRoute) => `limit-${backendName(route)}`;

/** The table that counts a service's clients, or nothing. */
export function limitTable(route: EdgeRoute): string[] {
  if (route.rateLimit === undefined) return [];
  const { seconds } = route.rateLimit;
  return [
    `backend ${limitTableName(route)}`,
    `    stick-table type ipv6 size ${LIMIT_CLIENTS} expire ${2 * seconds}s store http_req_rate(${seconds}s)`,
    "",
  ];
}

/** The backend of a service, and the one that stands in for it while no task passes its check. */
export function backendPair(settings: EdgeSettings, route: EdgeRoute): string[] {
  const checks = [
    "    option httpchk",
    `    http-check send meth GET uri ${route.health?.path ?? "/"} ver HTTP/1.1 ` +
      `hdr Host ${settings.domain ?? settings.names[0] ?? "localhost"} hdr User-Agent archipelago-edge`,
    "    http-check expect status 200-399",
  ];
  const both = rules(settings, route);
  const tasks = `    server-template ${slots(route)}`;
  return [
    `backend ${backendName(route)}`,
    ...checks,
    ...both,
    tasks,
    "",
    `backend ${uncheckedName(route)}`,
    ...both,
    `${tasks} no-check`,
    "",
  ];
}

/** Arguments of `server-template`: name, number of servers, address. */
function slots({ service, port, replicas = 1 }: EdgeRoute): string {
  return `${service}- ${Math.max(SLOTS_MINIMUM, 2 * replicas + 2)} tasks.${service}:${port}`;
}

function rules(settings: EdgeSettings, route: EdgeRoute): string[] {
  return [
    ...balanceRules(route),
    ...limitRules(settings, route),
    // A connection that was refused is tried elsewhere for any method: nothing was sent yet.
    "    http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
    ...cacheRules(route),
    `    http-error ${pageAnswer(settings.runDir, "503", `503-${route.service}`)}`,
  ];
}

function balanceRules({ service, balance = "least-connections", stickyCookie }: EdgeRoute) {
  const algorithm = {
    "least-connections": ["    balance leastconn"],
    "round-robin": ["    balance roundrobin"],
    source: [
      "    balance hash var(txn.client)",
      "    hash-type consistent",
      // The same choice on every node. Before 3.0 each node chooses by the order in which it met the tasks.
      ".if version_atleast(3.0)",
      "    default-server hash-key addr",
      ".endif",
    ],
  }[balance];
  if (stickyCookie === undefined) return algorithm;
  return [
    ...algorithm,
    // Made of the task's address, so that every node knows every node's cookies.
    `    cookie ${stickyCookie} insert indirect nocache httponly dynamic attr SameSite=Lax`,
    `    dynamic-cookie-key ${service}`,
  ];
}

function limitRules({ runDir }: EdgeSettings, route: EdgeRoute): string[] {
  if (route.rateLimit === undefined) return [];
  const { requests, seconds } = route.rateLimit;
  const table = limitTableName(route);
  return [
    // An IPv6 client has a /64 to choose from.
    `    http-request track-sc0 var(txn.client),ipmask(32,64) table ${table}`,
    `    http-request return ${pageAnswer(runDir, "429")} hdr Retry-After ${seconds} ` +
      `if { sc_http_req_rate(0,${table}) gt ${requests} }`,
  ];
}

/**
 * HAProxy itself serves nothing stale. So each answer is kept twice: as the app says, and with a longer life in another
 * cache, which is asked only when no task passes its check. The header is put back before the answer goes on its way.
 */
function cacheRules(route: EdgeRoute): string[] {
  const { cachePaths = [] } = route;
  if (cachePaths.length === 0) return [];
  const paths = cachePaths.flatMap((path) => pathCondition("cached", path));
  const anything = cachePaths.some((path) => pathCondition("cached", path).length === 0);
  return [
    ...(anything ? ["    acl cached always_true"] : paths),
    `    http-request cache-use ${FRESH} if cached { nbsrv(${backendName(route)}) gt 0 }`,
    `    http-request cache-use ${STALE} if cached { nbsrv(${backendName(route)}) eq 0 }`,
    "    http-request set-var(txn.cached) bool(true) if cached",
    "    acl hit res.cache_hit",
    "    acl shared var(txn.cached) -m bool",
    "    acl shared_cookie res.hdr(set-cookie) -m found",
    "    acl shared_limited res.fhdr(cache-control) -m sub -i private no-store no-cache",
    "    acl shared_dated res.fhdr(cache-control) -m reg -i (max-age|s-maxage)=0*[1-9]",
    "    acl revalidate var(txn.cache_control) -m sub -i must-revalidate proxy-revalidate",
    "    http-response set-var(txn.cache_control) res.fhdr(cache-control)",
    "    http-response set-var(txn.keep) bool(true) if !hit shared !shared_cookie !shared_limited shared_dated",
    `    http-response cache-store ${FRESH} if { var(txn.keep) -m bool }`,
    `    http-response set-header Cache-Control max-age=${STALE_SECONDS} if { var(txn.keep) -m bool } !revalidate`,
    `    http-response cache-store ${STALE} if { var(txn.keep) -m bool } !revalidate`,
    "    http-response set-header Cache-Control %[var(txn.cache_control)] if { var(txn.keep) -m bool } !revalidate",
    `    http-response set-header Cache-Control no-cache if hit { res.cache_name ${STALE} }`,
    // RFC 9211.
    `    http-response set-header Cache-Status "edge; hit; detail=%[res.cache_name]" if hit`,
  ];
}

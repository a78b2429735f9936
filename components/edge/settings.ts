/**
 * What the edge needs to know: the document that the program ships to every edge-agent.
 *
 * Plain data only, no secret: it travels as a Docker swarm config.
 */

/**
 * How requests are shared out among a service's tasks.
 *
 * `least-connections`: to the task with the fewest open requests, which a slow one gets less of. `round-robin`: in turn.
 * `source`: a client's address always to the same task, until tasks come or go; for protocols without cookies.
 */
export type Balance = "least-connections" | "round-robin" | "source";

/** How much one client may ask of a service: IPv4 address or IPv6 /64. Each node counts for itself. */
export interface RateLimit {
  /** Requests in any period of `seconds`, 1 to 1,000,000; the ones above get 429. */
  readonly requests: number;
  /** 1 to 3600. */
  readonly seconds: number;
}

/** What the edge does for one service. */
export interface EdgeServiceOptions {
  /** @default "least-connections" */
  readonly balance?: Balance;
  /**
   * Name of a cookie that leads a browser back to the task that answered it first, whichever node it comes in by.
   * When that task is gone another one takes over, without what the first one kept in memory.
   * @default none: any task answers
   */
  readonly stickyCookie?: string;
  /**
   * Path prefixes, whole segments, whose answers may be kept: only GET, only what the app marks with `Cache-Control:
   * max-age` or `s-maxage` and neither `private` nor a cookie. Fresh copies are served from memory; old ones while no task
   * is healthy, up to a day, unless the app says `must-revalidate`. A reload empties the memory.
   * @default none
   */
  readonly cachePaths?: readonly string[];
  /** @default no limit */
  readonly rateLimit?: RateLimit;
}

/** One way into the app: requests whose host and path match go to a swarm service. Options are the service's. */
export interface EdgeRoute extends EdgeServiceOptions {
  /** Swarm service name; its tasks are found as `tasks.<service>` in Docker's DNS. */
  readonly service: string;
  /** Port the service's containers listen on, 1 to 65535. */
  readonly port: number;
  /** Path prefixes, whole segments (`/api` takes `/api` and `/api/x`, not `/apix`). @default ["/"] */
  readonly paths?: readonly string[];
  /** Host names, lower case, without port. @default any host */
  readonly hosts?: readonly string[];
  /** Health check of one container: a GET that must answer 200 to 399. @default `{ path: "/" }` */
  readonly health?: { readonly path: string };
  /** Replicas wanted, a hint for the number of server slots. @default 1 */
  readonly replicas?: number;
}

/** A Load Balancer before the edge. */
export interface FrontSettings {
  /**
   * IPv4 CIDR that it sends from: the VPC's. Only from there X-Forwarded-For and X-Forwarded-Proto are believed, and only
   * the last address, which the balancer added itself.
   */
  readonly range: string;
}

/** Where certificates come from (RFC 8555). */
export interface AcmeSettings {
  /** ACME directory. @default Let's Encrypt's production directory */
  readonly directoryUrl: string;
  /** Contact for expiry mails. @default none */
  readonly email?: string;
  /** PEM of the CA that signed the ACME server's own certificate. @default the public roots */
  readonly caPem?: string;
  /** Serve the certificates that there are, and ask for no other: the names lead elsewhere. @default false */
  readonly paused?: boolean;
}

/** Addresses inside the containers; tests bind others. */
export interface EdgeListeners {
  readonly address: string;
  readonly http: number;
  readonly https: number;
  /** HAProxy's statistics and liveness, on loopback only. */
  readonly internal: number;
  /** The agent's own HTTP (`/livez`, `/healthz`, `/status`), on loopback only. */
  readonly agent: number;
}

export interface EdgeSettings {
  readonly routes: readonly EdgeRoute[];
  /** Names to hold certificates for; none means plain HTTP. */
  readonly names: readonly string[];
  readonly acme: AcmeSettings;
  /** Host name that health checks of tasks ask for. @default the first of `names`, else "localhost" */
  readonly domain?: string;
  /** @default none: clients connect to the edge themselves */
  readonly front?: FrontSettings;
  /** IPv4 or IPv6 addresses and CIDRs of clients that get 403, whatever they ask for. */
  readonly deny: readonly string[];
  /** Largest request body, MiB. */
  readonly maxBodyMib: number;
  /** Concurrent client connections per node. */
  readonly maxConnections: number;
  readonly listen: EdgeListeners;
  /** Docker's DNS server, `address:port`. */
  readonly resolver: string;
  /** Directory shared by HAProxy and its agent on one node: configuration, certificates, sockets. */
  readonly runDir: string;
  /** Directory only the agent sees: ACME account key, certificates, attempts. */
  readonly dataDir: string;
}

/** Each node answers here itself: 200 when it takes requests, 503 while it starts or is about to stop. */
export const HEALTH_PATH = "/archipelago/health";

export const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";

/** In-container defaults. High ports, so that HAProxy needs no privilege; the service publishes 80 and 443 onto them. */
export const EDGE_DEFAULTS = {
  deny: [] as readonly string[],
  maxBodyMib: 64,
  maxConnections: 4000,
  listen: { address: "*", http: 8080, https: 8443, internal: 8404, agent: 8405 },
  resolver: "127.0.0.11:53",
  runDir: "/run/edge",
  dataDir: "/var/lib/edge",
} as const;

/**
 * The names that need a certificate: the domain and every host that a route asks for, each once.
 *
 * Wildcards are left out: HTTP-01 cannot prove them (RFC 8555 §8.3).
 */
export function certificateNames(domain: string | undefined, routes: readonly EdgeRoute[]) {
  const names = [domain, ...routes.flatMap((route) => route.hosts ?? [])]
    .filter((name): name is string => name !== undefined && name !== "")
    .map((name) => name.toLowerCase());
  return [...new Set(names)].filter((name) => !name.includes("*"));
}

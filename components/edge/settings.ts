/**
 * What the edge needs to know: the document that the program ships to every edge-agent.
 *
 * Plain data only, no secret: it travels as a Docker swarm config.
 */

/** One way into the app: requests whose host and path match go to a swarm service. */
export interface EdgeRoute {
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

/** Where certificates come from (RFC 8555). */
export interface AcmeSettings {
  /** ACME directory. @default Let's Encrypt's production directory */
  readonly directoryUrl: string;
  /** Contact for expiry mails. @default none */
  readonly email?: string;
  /** PEM of the CA that signed the ACME server's own certificate. @default the public roots */
  readonly caPem?: string;
}

/** Addresses inside the containers; tests bind others. */
export interface EdgeListeners {
  readonly address: string;
  readonly http: number;
  readonly https: number;
  /** HAProxy's statistics and liveness, on loopback only. */
  readonly internal: number;
  /** Answers on loopback until the proxy is asked to stop. */
  readonly gate: number;
  /** The agent's own HTTP (`/livez`, `/healthz`, `/status`), on loopback only. */
  readonly agent: number;
}

/** A Load Balancer before the edge. */
export interface FrontSettings {
  /** Where it asks whether this node takes requests; 200, or 503 while the node's proxy is about to stop. */
  readonly healthPath: string;
  /** IPv4 CIDR that it sends from. Only from there X-Forwarded-For and X-Forwarded-Proto are believed. */
  readonly range: string;
}

export interface EdgeSettings {
  readonly routes: readonly EdgeRoute[];
  /** Names to hold certificates for; none means plain HTTP. */
  readonly names: readonly string[];
  readonly acme: AcmeSettings;
  /** @default none: clients connect to the edge themselves */
  readonly front?: FrontSettings;
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

export const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";

/** In-container defaults. High ports, so that HAProxy needs no privilege; the service publishes 80 and 443 onto them. */
export const EDGE_DEFAULTS = {
  maxBodyMib: 64,
  maxConnections: 4000,
  listen: { address: "*", http: 8080, https: 8443, internal: 8404, agent: 8405, gate: 8406 },
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

const SERVICE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const PATH = /^\/[A-Za-z0-9._~/-]*$/;
const HOST = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/**
 * Faults that would end up as syntax in haproxy.cfg, one sentence each; empty when there are none.
 *
 * The stack file's schema is the first gate; this one keeps the component safe on its own.
 */
export function routeFaults(routes: readonly EdgeRoute[]): string[] {
  return routes.flatMap((route, index) => {
    const at = `routes[${index}]`;
    const { service, port, paths = [], hosts = [], health } = route;
    return [
      SERVICE.test(service) ? "" : `${at}.service must be a DNS label, got ${service}`,
      Number.isInteger(port) && port >= 1 && port <= 65535
        ? ""
        : `${at}.port must be 1 to 65535, got ${port}`,
      ...[...paths, ...(health ? [health.path] : [])].map((path) =>
        PATH.test(path) ? "" : `${at}: a path must start with / and be plain, got ${path}`,
      ),
      ...hosts.map((host) =>
        HOST.test(host) ? "" : `${at}.hosts: a host name must be lower case, got ${host}`,
      ),
    ].filter((fault) => fault !== "");
  });
}

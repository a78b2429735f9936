import { isIP } from "node:net";
import type { EdgeRoute } from "./settings";

const SERVICE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const PATH = /^\/[A-Za-z0-9._~/-]*$/;
const HOST = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const COOKIE = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const BALANCES = ["least-connections", "round-robin", "source"];

/**
 * Faults that would end up as syntax in haproxy.cfg, one sentence each; empty when there are none.
 *
 * The stack file's schema is the first gate; this one keeps the component safe on its own.
 */
export function edgeFaults(routes: readonly EdgeRoute[], deny: readonly string[]): string[] {
  return [
    ...routes.flatMap((route, index) => routeFaults(route, `routes[${index}]`)),
    ...deny.map((entry, index) =>
      isAddressOrCidr(entry) ? "" : `deny[${index}] must be an IP address or CIDR, got ${entry}`,
    ),
  ].filter((fault) => fault !== "");
}

function routeFaults(route: EdgeRoute, at: string): string[] {
  const { service, port, paths = [], hosts = [], health, cachePaths = [] } = route;
  const { balance, stickyCookie, rateLimit } = route;
  return [
    SERVICE.test(service) ? "" : `${at}.service must be a DNS label, got ${service}`,
    within(port, 65535) ? "" : `${at}.port must be 1 to 65535, got ${port}`,
    ...[...paths, ...cachePaths, ...(health ? [health.path] : [])].map((path) =>
      PATH.test(path) ? "" : `${at}: a path must start with / and be plain, got ${path}`,
    ),
    ...hosts.map((host) =>
      HOST.test(host) ? "" : `${at}.hosts: a host name must be lower case, got ${host}`,
    ),
    balance === undefined || BALANCES.includes(balance)
      ? ""
      : `${at}.balance must be ${BALANCES.join(", ")}, got ${String(balance)}`,
    stickyCookie === undefined || COOKIE.test(stickyCookie)
      ? ""
      : `${at}.stickyCookie must be letters, digits, _ and -, got ${stickyCookie}`,
    rateLimit === undefined || within(rateLimit.requests, 1_000_000)
      ? ""
      : `${at}.rateLimit.requests must be 1 to 1000000, got ${rateLimit.requests}`,
    rateLimit === undefined || within(rateLimit.seconds, 3600)
      ? ""
      : `${at}.rateLimit.seconds must be 1 to 3600, got ${rateLimit.seconds}`,
  ];
}

const within = (value: number, most: number) =>
  Number.isInteger(value) && value >= 1 && value <= most;

/** IPv4 or IPv6, with or without a prefix length. */
export function isAddressOrCidr(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return (
    prefix === undefined || (/^\d{1,3}$/.test(prefix) && +prefix <= (version === 4 ? 32 : 128))
  );
}

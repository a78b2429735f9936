/** Which port of a service speaks HTTP, and which service gets the requests from outside. */
import * as fs from "node:fs";
import type { Notes } from "./conversion";
import type { ComposeService } from "./service";

/** Ports that speak something else: SSH, mail, DNS, LDAP, databases, caches, queues. */
const NOT_HTTP = [
  21, 22, 25, 53, 110, 143, 389, 465, 587, 636, 993, 995, 1433, 1521, 1883, 2222, 3306, 4222, 5060,
  5432, 5433, 5671, 5672, 6379, 6432, 8883, 9042, 9092, 11211, 26379, 27017,
];

/** What else tells which port an app listens on. */
export interface PortHints {
  /** Named by the health check. */
  readonly health?: number | undefined;
  /** Named by the configuration of a proxy before it, or by a label for one. */
  readonly proxied?: number | undefined;
}

/**
 * @returns the port that requests go to; undefined for a worker. `expose` by itself tells nothing: workers share it with the
 * web service that they were copied from, and without a port a service is found all the same.
 */
export function httpPort(
  { ports }: ComposeService,
  { health, proxied }: PortHints,
  notes: Notes,
): number | undefined {
  const others = ports.filter(
    ({ target, protocol }) => protocol === "udp" || NOT_HTTP.includes(target),
  );
  const web = ports.filter((port) => !others.includes(port));
  const port =
    proxied ??
    web.find(({ target }) => target === health)?.target ??
    web.find(({ published }) => published === 80 || published === 443)?.target ??
    web[0]?.target ??
    health;
  for (const { target, published, protocol } of others) {
    notes.lost(
      "ports",
      `${published ?? target}:${target}/${protocol} is closed: only HTTP and HTTPS come in from outside`,
      "other services of the stack reach it by its name; run what the world must reach on a server of its own",
    );
  }
  for (const { target } of web.filter(({ target }) => target !== port)) {
    notes.lost(
      "ports",
      `${target} is closed: a service has one port for HTTP, and it is ${port}`,
      "other services of the stack reach it by its name",
    );
  }
  return port;
}

/** Where nothing else tells: what is exposed to other services, or what the app is told. */
export function likelyPort({ expose, environment }: ComposeService): number | undefined {
  const told = environment.PORT ?? "";
  return (
    expose.find((candidate) => !NOT_HTTP.includes(candidate)) ??
    (/^\d{2,5}$/.test(told) ? Number(told) : undefined)
  );
}

/** `service:port` in files that are mounted into a proxy. */
export function proxiedPorts(
  proxies: readonly ComposeService[],
  names: readonly string[],
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { source } of proxies.flatMap(({ mounts }) => mounts)) {
    for (const text of textsAt(source)) {
      for (const name of names) {
        const port = new RegExp(`(?<![\\w.-])${name}:(\\d{2,5})\\b`).exec(text)?.[1];
        if (port !== undefined && !found.has(name)) found.set(name, Number(port));
      }
    }
  }
  return found;
}

/** A configuration file, or those in a directory. What is large is none. */
function textsAt(source: string | undefined): string[] {
  if (source === undefined || !source.startsWith("/")) return [];
  const stat = fs.statSync(source, { throwIfNoEntry: false });
  if (stat?.isFile() === true) {
    return stat.size < 100_000 ? [fs.readFileSync(source, "utf8")] : [];
  }
  if (stat?.isDirectory() !== true) return [];
  const files = fs.readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.length > 50 ? [] : files.flatMap(({ name }) => textsAt(`${source}/${name}`));
}

/** Traefik's port for a service. */
export function traefikPort({ labels }: ComposeService): number | undefined {
  const [, port] =
    Object.entries(labels).find(([label]) =>
      /^traefik\.http\.services\..+\.server\.port$/.test(label),
    ) ?? [];
  return port === undefined || port === null ? undefined : Number(port);
}

/** Names that Traefik serves a service at. */
export function traefikHosts({ labels }: ComposeService): string[] {
  return Object.entries(labels)
    .filter(([label]) => /^traefik\.http\.routers\.[^.]+\.rule$/.test(label))
    .flatMap(([, rule]) => [...(rule ?? "").matchAll(/Host\(([^)]*)\)/g)])
    .flatMap(([, names]) => [...(names ?? "").matchAll(/[`"']([^`"']+)[`"']/g)])
    .flatMap(([, host]) => host ?? []);
}

/**
 * The service that gets every request, of those with a port: the one behind the proxy, at ports 80 or 443, or whose name says
 * so; else the first that is published.
 */
export function frontOf(
  candidates: readonly ComposeService[],
  proxied: ReadonlyMap<string, number>,
): ComposeService | undefined {
  const isWeb = ({ published }: { published?: number }) => published === 80 || published === 443;
  return (
    candidates.find((each) => proxied.has(each.name)) ??
    candidates.find((each) => traefikHosts(each).length > 0) ??
    candidates.find(({ ports }) => ports.some(isWeb)) ??
    candidates.find(
      ({ name, ports }) => ports.length > 0 && /^(web|app|frontend|site|server|www)/.test(name),
    ) ??
    candidates.find(({ ports }) => ports.length > 0) ??
    candidates.find(({ name }) => /^(web|app|frontend|site|server|www)/.test(name)) ??
    candidates[0]
  );
}

import * as fs from "node:fs";
import * as path from "node:path";
import { Cron } from "croner";
import type { Config, ServiceConfig } from "../config";
import { type Fault, show } from "../faults";

/** Names of the services that Archipelago adds, and what each is. */
const OWN_SERVICES: Readonly<Record<string, string>> = {
  edge: "the edge proxy",
  "edge-agent": "the edge proxy's agent",
  postgres: "the database",
  pgbouncer: "the connection pooler",
  cache: "the cache",
  scheduler: "what starts scheduled jobs",
  backup: "what makes backups",
  "backup-watch": "what watches over backups",
};

/** Secrets that Archipelago gives to services itself. */
const OWN_SECRETS = ["database_url", "cache_url", "cache_ca", "files_secret_key"];

/** @param root directory that build contexts start at. */
export function serviceFaults(name: string, service: ServiceConfig, root: string): Fault[] {
  const at = `archipelago:services.${name}`;
  const faults: Fault[] = [];
  const owner = OWN_SERVICES[name];
  if (owner !== undefined) {
    faults.push({ path: at, rule: `must have another name: ${name} is ${owner}` });
  }
  if ((service.image === undefined) === (service.build === undefined)) {
    const got = service.image === undefined ? "neither" : "both";
    const unless = [`${at}.image`, `${at}.build`];
    faults.push({ path: at, rule: "must have either image or build", got, unless });
  }
  if (service.routes.length > 0 && service.port === undefined) {
    faults.push({ path: `${at}.port`, rule: "is missing; a service with routes needs one" });
  }
  const { stickyCookie, cachePaths, rateLimit } = service;
  for (const [key, value] of Object.entries({
    stickyCookie,
    cachePaths: cachePaths[0],
    rateLimit,
  })) {
    if (value !== undefined && service.routes.length === 0) {
      faults.push({ path: `${at}.${key}`, rule: "is for a service with routes" });
    }
  }
  if (service.volume !== undefined && service.replicas > 1) {
    faults.push({
      path: `${at}.replicas`,
      rule: "must be 1 for a service with a volume, whose files only one task may write",
      got: String(service.replicas),
    });
  }
  for (const secret of OWN_SECRETS.filter((secret) => secret in service.secrets)) {
    faults.push({
      path: `${at}.secrets.${secret}`,
      rule: "must have another name: Archipelago gives every service this file itself",
    });
  }
  if (service.schedule !== undefined) faults.push(...jobFaults(at, service));
  if (service.build === undefined) return faults;
  return [...faults, ...buildFaults(at, service.build, root)];
}

/** A scheduled job runs to its end, one task at a time. */
function jobFaults(at: string, { schedule = "", routes, replicas, release }: ServiceConfig) {
  const faults: Fault[] = [];
  if (!isSchedule(schedule)) {
    const rule = 'must be five fields of cron such as "0 3 * * *"';
    faults.push({ path: `${at}.schedule`, rule, got: show(schedule) });
  }
  const kept = {
    routes: routes.length > 0,
    replicas: replicas !== 1,
    release: release !== undefined,
  };
  for (const [key] of Object.entries(kept).filter(([, given]) => given)) {
    const rule = "must be left out of a service with a schedule, which runs one task to its end";
    faults.push({ path: `${at}.${key}`, rule });
  }
  return faults;
}

export function isSchedule(schedule: string): boolean {
  try {
    return new Cron(schedule, { paused: true, timezone: "UTC" }).nextRun() !== null;
  } catch {
    return false;
  }
}

function buildFaults(at: string, build: NonNullable<ServiceConfig["build"]>, root: string) {
  const context = path.resolve(root, build.context);
  if (path.relative(root, context).startsWith("..")) {
    return [
      {
        path: `${at}.build.context`,
        rule: "must lie inside the checkout",
        got: show(build.context),
      },
    ];
  }
  if (!fs.existsSync(context)) {
    return [
      {
        path: `${at}.build.context`,
        rule: "must be a directory that exists",
        got: show(build.context),
      },
    ];
  }
  if (fs.existsSync(path.join(context, build.dockerfile))) return [];
  return [
    {
      path: `${at}.build.dockerfile`,
      rule: `must be a file in ${build.context}`,
      got: show(build.dockerfile),
    },
  ];
}

export function routeFaults({ services }: Config): Fault[] {
  const owners = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [name, { routes }] of Object.entries(services)) {
    for (const [index, route] of routes.entries()) {
      const key = route.length > 1 && !/^[^/]+\/$/.test(route) ? route.replace(/\/+$/, "") : route;
      const path = `archipelago:services.${name}.routes[${index}]`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, path);
      else faults.push({ path, rule: `must be another route than ${owner}`, got: show(route) });
    }
  }
  return faults;
}

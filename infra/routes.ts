import type { EdgeRoute } from "../components/edge/edge";
import type { Config, ServiceConfig } from "./config";

/** What the edge sends where: one entry for each route of each service. */
export function edgeRoutes({ services }: Pick<Config, "services">): EdgeRoute[] {
  return Object.entries(services).flatMap(([name, service]) =>
    service.routes.map((route) => {
      const slash = route.indexOf("/");
      const host = route.slice(0, slash);
      const path = route.slice(slash);
      return {
        service: name,
        // Every service with routes has a port; the rules see to it.
        port: service.port ?? 0,
        paths: [path.length > 1 ? path.replace(/\/+$/, "") : path],
        ...(host !== "" && { hosts: [host] }),
        health: { path: service.health.path },
        replicas: service.replicas,
        ...edgeOptions(service),
      };
    }),
  );
}

function edgeOptions({ balance, stickyCookie, cachePaths, rateLimit }: ServiceConfig) {
  return {
    balance,
    ...(stickyCookie !== undefined && { stickyCookie }),
    ...(cachePaths.length > 0 && { cachePaths }),
    ...(rateLimit !== undefined && { rateLimit }),
  };
}

/** Host names that routes ask for. */
export function routeHosts(config: Pick<Config, "services">): string[] {
  return [...new Set(edgeRoutes(config).flatMap(({ hosts = [] }) => hosts))];
}

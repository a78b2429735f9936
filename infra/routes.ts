import type { EdgeRoute } from "../components/edge/edge";
import type { Config } from "./config";

/** What the edge sends where: one entry for each route of each service. */
export function edgeRoutes({ services }: Pick<Config, "services">): EdgeRoute[] {
  return Object.entries(services).flatMap(([name, { port, routes, health, replicas }]) =>
    routes.map((route) => {
      const slash = route.indexOf("/");
      const host = route.slice(0, slash);
      const path = route.slice(slash);
      return {
        service: name,
        // Every service with routes has a port; the rules see to it.
        port: port ?? 0,
        paths: [path.length > 1 ? path.replace(/\/+$/, "") : path],
        ...(host !== "" && { hosts: [host] }),
        health: { path: health.path },
        replicas,
      };
    }),
  );
}

/** Host names that routes ask for. */
export function routeHosts(config: Pick<Config, "services">): string[] {
  return [...new Set(edgeRoutes(config).flatMap(({ hosts = [] }) => hosts))];
}

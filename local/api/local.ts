import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "./context";
import { fault, type Faults } from "./faults";
import { parse } from "./input";
import { targets } from "./load-balancers/model";
import type { RateLimiter } from "./rate-limit";

const progress = z.object({
  progress: z.union([z.enum(["immediate", "realistic"]), z.number().min(0)]),
});

/** What DigitalOcean does not have: the caller's own address, the local authority's certificate, and the operator's view of this one. */
export function localRoutes(
  app: FastifyInstance,
  context: Context,
  { faults, limiter }: { readonly faults: Faults; readonly limiter: RateLimiter },
): void {
  const { store, machines, lifecycle } = context;

  app.get("/my-ip", (request, reply) => reply.type("text/plain").send(`${request.ip}\n`));

  app.get("/ca", (_request, reply) =>
    reply.type("application/x-pem-file").send(context.authority.pem),
  );

  app.get("/_local/state", async () => {
    const observed = await machines.observe();
    return {
      machines: machines.kind,
      progress: lifecycle.progress,
      problems: context.problems,
      requests: limiter.total,
      pending: store.jobs.all().map(({ id, kind, params }) => ({ id, kind, ...params })),
      counts: {
        droplets: store.droplets.count(),
        vpcs: store.vpcs.count(),
        firewalls: store.firewalls.count(),
        load_balancers: store.loadBalancers.count() + store.globalLoadBalancers.count(),
        certificates: store.certificates.count(),
        databases: store.databases.count(),
        registries: store.registries.count(),
        alert_policies: store.alertPolicies.count(),
        uptime_checks: store.uptimeChecks.count(),
        vpc_peerings: store.vpcPeerings.count(),
        nat_gateways: store.natGateways.count(),
        autoscale_pools: store.autoscalePools.count(),
        spaces_keys: store.spacesKeys.count(),
        reserved_ips: store.reservedIps.count(),
        volumes: store.volumes.count(),
        domains: store.domains.count(),
        projects: store.projects.count(),
        ssh_keys: store.sshKeys.count(),
        tags: store.tags.count(),
      },
      droplets: store.droplets.all().map((droplet) => ({
        id: droplet.id,
        name: droplet.name,
        size: droplet.size,
        status: droplet.status,
        body: observed.get(droplet.id) ?? "missing",
        public_ip: droplet.publicIp ?? null,
        private_ip: droplet.privateIp,
        tags: droplet.tags,
        failure: droplet.failure ?? null,
      })),
      load_balancers: await Promise.all(
        store.loadBalancers.all().map(async (balancer) => {
          const health = await machines.balancerHealth(balancer.id);
          return {
            id: balancer.id,
            name: balancer.name,
            status: balancer.status,
            public_ip: balancer.publicIp ?? null,
            private_ip: balancer.privateIp,
            targets: targets(store, balancer).map(({ id, name }) => ({
              droplet_id: id,
              name,
              health: health.get(id) ?? "unknown",
            })),
          };
        }),
      ),
      databases: store.databases.all().map((database) => ({
        id: database.id,
        name: database.name,
        engine: database.engine,
        version: database.version,
        size: database.size,
        nodes: database.nodes,
        status: database.deleting ? "deleting" : database.status,
        public_ip: database.publicIp,
        private_ip: database.privateIp,
        failure: database.failure ?? null,
      })),
      failed_actions: store.actions
        .filter((action) => action.status === "errored")
        .map(({ id, type, dropletId, volumeId, ip, failure }) => ({
          id,
          type,
          droplet_id: dropletId ?? null,
          volume_id: volumeId ?? null,
          ip: ip ?? null,
          failure: failure ?? null,
        })),
    };
  });

  /** The S3 server for this machine and for Droplets, and the operator's key; it runs from the first call on. */
  app.post("/_local/spaces", async () => {
    const { endpoint, dropletEndpoint, accessKey, secretKey } = await context.spaces.open();
    return {
      endpoint,
      droplet_endpoint: dropletEndpoint,
      access_key: accessKey,
      secret_key: secretKey,
    };
  });

  app.post("/_local/faults", ({ body }) => {
    faults.set(parse(z.object({ faults: z.array(fault) }), body).faults);
    return { faults: faults.left };
  });

  app.post("/_local/progress", ({ body }) => {
    lifecycle.progress = parse(progress, body).progress;
    return { progress: lifecycle.progress };
  });
}

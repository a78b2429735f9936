/** What of DigitalOcean's API is built; every operation below these paths is exercised in one of the files beside this. */
export const built = {
  machines:
    /^\/v2\/(account|actions|domains|droplets(?!\/autoscale)|firewalls|floating_ips|images|projects|regions|reserved_ips|reports|sizes|snapshots|tags|volumes|vpcs)(?!\/[^/]+\/peerings)(\/|$)/,
  scaling: /^\/v2\/droplets\/autoscale(\/|$)/,
  databases: /^\/v2\/databases(\/|$)/,
  registries: /^\/v2\/(registry|registries)(\/|$)/,
  watching: /^\/v2\/(monitoring|uptime)(\/|$)/,
  connecting: /^\/v2\/(vpc_peerings|vpc_nat_gateways|spaces|vpcs\/[^/]+\/peerings)(\/|$)/,
  balancing: /^\/v2\/(certificates|load_balancers)(\/|$)/,
} as const;

/** Below those, and answered with 404 like any unknown path. */
export const notBuilt =
  /account_transfer|garbage-collection|monitoring\/(metrics|sinks)|databases\/(metrics|[^/]+\/(topics|logsink|schema-registry|indexes|sql_mode|replicas\/[^/]+\/promote))/;

export const isBuilt = (path: string) =>
  Object.values(built).some((paths) => paths.test(path)) && !notBuilt.test(path);

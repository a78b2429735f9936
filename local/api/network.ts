import type {
  FirewallRuleSpec,
  FirewallSpec,
  GuardSpec,
  Machines,
  NetworkSpec,
  World,
} from "../machines/machines";
import { parseAddress, parseCidr } from "./addresses";
import { databaseSpec } from "./databases/model";
import { databaseGuard } from "./databases/trusted-sources";
import { dropletSpec, type DropletRecord } from "./droplets/model";
import { appliesTo, type FirewallRecord, type FirewallRule } from "./firewalls/model";
import { asCidr } from "./load-balancers/addresses";
import { firstTarget } from "./load-balancers/global";
import { loadBalancerSpec, type LoadBalancerRecord } from "./load-balancers/model";
import { names } from "./names";
import { registrySpec } from "./registry/model";
import { Rounds } from "./rounds";
import { spacesSpec } from "./spaces/model";
import type { Store } from "./store";
import { hasTag } from "./tags/model";
import { volumeSpec } from "./volumes/model";
import { vpcSpec } from "./vpcs/model";

/** A rule with its Droplets, tags and Load Balancers as the private addresses behind them. IPv6 is left out: local networks are IPv4. */
export function resolveRule(
  { protocol, ports, peers }: FirewallRule,
  droplets: readonly DropletRecord[],
  balancers: readonly LoadBalancerRecord[],
): FirewallRuleSpec {
  const cidrs = new Set<string>();
  for (const address of peers.addresses) {
    if (parseCidr(address)) cidrs.add(address);
    else if (parseAddress(address) !== undefined) cidrs.add(`${address}/32`);
  }
  for (const droplet of droplets)
    if (peers.dropletIds.includes(droplet.id) || peers.tags.some((tag) => hasTag(droplet, tag)))
      cidrs.add(`${droplet.privateIp}/32`);
  for (const { id, privateIp } of balancers)
    if (peers.loadBalancerIds.includes(id)) cidrs.add(`${privateIp}/32`);
  return { protocol, ports, cidrs: [...cidrs] };
}

function firewallSpec(
  firewall: FirewallRecord,
  droplets: readonly DropletRecord[],
  balancers: readonly LoadBalancerRecord[],
): FirewallSpec {
  return {
    id: firewall.id,
    dropletIds: droplets.filter((each) => appliesTo(firewall, each)).map(({ id }) => id),
    inbound: firewall.inbound.map((rule) => resolveRule(rule, droplets, balancers)),
    outbound: firewall.outbound.map((rule) => resolveRule(rule, droplets, balancers)),
  };
}

/** Who may ask a Load Balancer: `allow`, else everybody; on its entry ports only. Denied ranges are for the balancer itself. */
function guardOf({ vpcId, privateIp, rules, allow }: LoadBalancerRecord): GuardSpec {
  const cidrs = allow.length > 0 ? allow.map(asCidr) : ["0.0.0.0/0"];
  return {
    vpcId,
    privateIp,
    inbound: rules.map(({ entryPort }) => ({ protocol: "tcp", ports: String(entryPort), cidrs })),
  };
}

/** By a NAT gateway; without a public address there is no other. */
const hasWayOut = (store: Store, vpcId: string): boolean =>
  store.natGateways.find(
    ({ isOpen, vpcs }) => isOpen && vpcs.some((each) => each.isDefault && each.vpcId === vpcId),
  ) !== undefined;

/** Everything that decides which packet reaches which Droplet, from the whole state. */
export function networkSpec(store: Store, metadataPort: number): NetworkSpec {
  const droplets = store.droplets.all();
  const balancers = store.loadBalancers.all();
  const databases = store.databases.filter(({ deleting }) => !deleting);
  return {
    vpcs: store.vpcs.filter((vpc) => !vpc.deleting).map(vpcSpec),
    droplets: droplets.map(({ id, vpcId, privateIp, publicIp }) => ({
      id,
      vpcId,
      privateIp,
      isCutOff: publicIp === undefined && !hasWayOut(store, vpcId),
    })),
    addresses: [
      ...droplets.flatMap(({ id, publicIp }) =>
        publicIp ? [{ address: publicIp, dropletId: id }] : [],
      ),
      ...store.reservedIps
        .all()
        .flatMap(({ ip, dropletId }) =>
          dropletId === undefined ? [] : [{ address: ip, dropletId }],
        ),
    ],
    services: [
      ...balancers.flatMap(({ publicIp, vpcId, privateIp }) =>
        publicIp ? [{ address: publicIp, vpcId, privateIp }] : [],
      ),
      ...store.globalLoadBalancers.all().flatMap((global) => {
        const target = firstTarget(global, balancers);
        const { vpcId, privateIp } = target ?? {};
        return vpcId && privateIp ? [{ address: global.publicIp, vpcId, privateIp }] : [];
      }),
      ...databases.map(({ publicIp, vpcId, privateIp }) => ({
        address: publicIp,
        vpcId,
        privateIp,
      })),
    ],
    firewalls: store.firewalls.all().map((firewall) => firewallSpec(firewall, droplets, balancers)),
    guards: [
      ...balancers.map(guardOf),
      ...databases.map((database) => databaseGuard(database, droplets)),
    ],
    names: names(store),
    metadataPort,
  };
}

/** What must exist after a restart. Droplets that are still being made, or never were, come with their own jobs. */
export function world(store: Store, metadataPort: number): World {
  const rebuilding = new Set(
    store.jobs
      .filter(({ kind }) => kind === "droplet.create" || kind === "droplet.rebuild")
      .map(({ params }) => params.dropletId),
  );
  return {
    vpcs: store.vpcs.filter((vpc) => !vpc.deleting).map(vpcSpec),
    volumes: store.volumes
      .filter((volume) => !volume.deleting)
      .map((volume) => ({ ...volumeSpec(volume), dropletId: volume.dropletId })),
    droplets: store.droplets
      .filter((droplet) => droplet.status !== "new" && !droplet.deleting)
      .filter((droplet) => !rebuilding.has(droplet.id))
      .map((droplet) => ({
        ...dropletSpec(store, droplet),
        power: droplet.status === "active" ? ("on" as const) : ("off" as const),
      })),
    loadBalancers: activeBalancers(store),
    databases: store.databases.all().flatMap((database) =>
      // One that is still being made comes with its own job.
      database.tls && !database.deleting && database.status !== "creating"
        ? [databaseSpec(database, database.tls)]
        : [],
    ),
    registry: registrySpec(store),
    spaces: spacesSpec(store),
    network: networkSpec(store, metadataPort),
  };
}

const activeBalancers = (store: Store) =>
  store.loadBalancers
    .filter(({ status, deleting }) => status === "active" && !deleting)
    .map((balancer) => loadBalancerSpec(store, balancer));

/** Keeps the machines' network rules, and the targets of Load Balancers, equal to the state. */
export class Network {
  private readonly rounds = new Rounds(() => this.apply());

  constructor(
    private readonly store: Store,
    private readonly machines: Machines,
    private readonly metadataPort: () => number,
  ) {}

  /** Applies the rules of the state as it is now. */
  sync(): Promise<void> {
    return this.rounds.run();
  }

  private async apply(): Promise<void> {
    await this.machines.applyNetwork(networkSpec(this.store, this.metadataPort()));
    await Promise.all(
      activeBalancers(this.store).map((balancer) => this.machines.applyLoadBalancer(balancer)),
    );
  }
}

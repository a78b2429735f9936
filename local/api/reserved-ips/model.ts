import { nextAddress, parseAddress } from "../addresses";
import { regionView } from "../catalogue/regions";
import type { Context } from "../context";
import { unprocessable } from "../errors";
import { projectOf } from "../projects/model";
import type { Store } from "../store";
import { dropletView } from "../droplets/view";

export interface ReservedIpRecord {
  readonly ip: string;
  /** Slug. */
  readonly region: string;
  readonly dropletId: number | undefined;
  /** An assignment or its end that is under way. */
  readonly locked: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** The next public address of the pool, for a Droplet, a Reserved IP, a Load Balancer or a database cluster; call inside a transaction. */
export function takePublicAddress({ store, publicPool }: Context): string {
  const taken = new Set<string>(store.reservedIps.all().map(({ ip }) => ip));
  for (const { publicIp } of [
    ...store.droplets.all(),
    ...store.loadBalancers.all(),
    ...store.globalLoadBalancers.all(),
    ...store.databases.all(),
    ...store.natGateways.all(),
  ])
    if (publicIp) taken.add(publicIp);
  const address = nextAddress(publicPool, store.setting<string>("last-public-address"), taken);
  if (!address) throw unprocessable("No public address is left in the pool.");
  store.setSetting("last-public-address", address);
  return address;
}

/** DigitalOcean identifies an address in actions by its numeric value. */
export const addressId = (ip: string): number => parseAddress(ip) ?? 0;

export function reservedIpView(store: Store, record: ReservedIpRecord) {
  const droplet = record.dropletId === undefined ? undefined : store.droplets.get(record.dropletId);
  return {
    ip: record.ip,
    region: regionView(record.region),
    droplet: droplet ? dropletView(store, droplet) : null,
    locked: record.locked,
    project_id: projectOf(store, `do:floatingip:${record.ip}`),
  };
}

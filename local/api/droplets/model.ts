import type { DropletSpec } from "../../machines/machines";
import { caPem } from "../authority";
import { sizeOf } from "../catalogue/sizes";
import type { Store } from "../store";

export interface BackupPolicy {
  readonly plan: "daily" | "weekly";
  readonly weekday?: string | undefined;
  /** Start of the window, 0 to 20 in steps of 4, UTC. */
  readonly hour: number;
}

export interface DropletRecord {
  readonly id: number;
  readonly name: string;
  /** Slug. */
  readonly region: string;
  /** Slug. */
  readonly size: string;
  /** What it has, which a resize that keeps the disk does not change. */
  readonly diskGib: number;
  readonly imageId: number;
  /** Slug of the distribution that the image is of. */
  readonly baseImage: string;
  readonly status: "new" | "active" | "off";
  readonly tags: readonly string[];
  readonly vpcId: string;
  readonly privateIp: string;
  readonly publicIp: string | undefined;
  /** Shown by the API only: local networks are IPv4. */
  readonly ipv6: string | undefined;
  readonly backupPolicy: BackupPolicy | undefined;
  readonly monitoring: boolean;
  readonly agent: boolean;
  readonly userData: string | undefined;
  /** OpenSSH lines of the keys it was made with. */
  readonly sshPublicKeys: readonly string[];
  /** Being destroyed. */
  readonly deleting: boolean;
  /** Why the last change of its body failed, for the operator. */
  readonly failure: string | undefined;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A Droplet takes one event at a time. */
export const isPending = (store: Store, { id }: Pick<DropletRecord, "id">): boolean =>
  store.jobs.find((job) => job.params.dropletId === id) !== undefined;

export function dropletSpec(store: Store, droplet: DropletRecord): DropletSpec {
  const { vcpus, memoryMib } = sizeOf(droplet.size);
  return {
    id: droplet.id,
    name: droplet.name,
    region: droplet.region,
    image: droplet.baseImage,
    vcpus,
    memoryMib,
    diskGib: droplet.diskGib,
    userData: droplet.userData,
    sshPublicKeys: droplet.sshPublicKeys,
    vpcId: droplet.vpcId,
    privateIp: droplet.privateIp,
    publicIp: droplet.publicIp,
    trustedCaPem: caPem(store),
  };
}

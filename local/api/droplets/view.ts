import { netmask, parseCidr } from "../addresses";
import { openRegionSlugs, regionView } from "../catalogue/regions";
import { diskInfo, sizeOf, sizeView } from "../catalogue/sizes";
import { timestamp } from "../context";
import { findImage, imageView } from "../images/model";
import type { Store } from "../store";
import type { BackupPolicy, DropletRecord } from "./model";

/** What hangs on Droplets, gathered once for a whole list. */
export interface Related {
  readonly volumes: ReadonlyMap<number, readonly string[]>;
  readonly snapshots: ReadonlyMap<number, readonly number[]>;
}

export function relatedToDroplets(store: Store): Related {
  const volumes = new Map<number, string[]>();
  for (const { id, dropletId } of store.volumes.all())
    if (dropletId !== undefined) volumes.set(dropletId, [...(volumes.get(dropletId) ?? []), id]);
  const snapshots = new Map<number, number[]>();
  for (const { id, dropletId } of store.images.all())
    if (dropletId !== undefined)
      snapshots.set(dropletId, [...(snapshots.get(dropletId) ?? []), id]);
  return { volumes, snapshots };
}

const days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** https://docs.digitalocean.com/products/backups/details/features/ */
const windowHours = 4;

/** The next four hours in which a backup starts. */
export function nextBackupWindow(policy: BackupPolicy, after: Date) {
  const start = new Date(after);
  start.setUTCHours(policy.hour, 0, 0, 0);
  const weekday = policy.plan === "weekly" ? days.indexOf(policy.weekday ?? "SUN") : undefined;
  while (start <= after || (weekday !== undefined && start.getUTCDay() !== weekday))
    start.setUTCDate(start.getUTCDate() + 1);
  const end = new Date(start.getTime() + windowHours * 3_600_000);
  return { start: timestamp(start), end: timestamp(end) };
}

function networksView(store: Store, droplet: DropletRecord) {
  const range = parseCidr(store.vpcs.get(droplet.vpcId)?.ipRange ?? "");
  const pool = parseCidr(store.setting<string>("public-pool") ?? "");
  const v4 = [];
  if (droplet.publicIp)
    v4.push({
      ip_address: droplet.publicIp,
      netmask: netmask(pool?.prefix ?? 16),
      gateway: droplet.publicIp.replace(/\d+\.\d+$/, "0.1"),
      type: "public",
    });
  // The private gateway is null in DigitalOcean's own answers to godo, and a string in its description.
  v4.push({
    ip_address: droplet.privateIp,
    netmask: netmask(range?.prefix ?? 20),
    gateway: "",
    type: "private",
  });
  const v6 = droplet.ipv6
    ? [
        {
          ip_address: droplet.ipv6,
          netmask: 64,
          gateway: `${droplet.ipv6.split("::")[0]}::1`,
          type: "public",
        },
      ]
    : [];
  return { v4, v6 };
}

export function dropletView(
  store: Store,
  droplet: DropletRecord,
  related = relatedToDroplets(store),
) {
  const size = sizeOf(droplet.size);
  const image = findImage(store, droplet.imageId) ?? findImage(store, droplet.baseImage);
  return {
    id: droplet.id,
    name: droplet.name,
    memory: size.memoryMib,
    vcpus: size.vcpus,
    disk: droplet.diskGib,
    disk_info: diskInfo(droplet.diskGib),
    locked: false,
    status: droplet.status,
    kernel: null,
    created_at: timestamp(new Date(droplet.createdAt)),
    features: [
      ...(droplet.backupPolicy ? ["backups"] : []),
      ...(droplet.agent ? ["droplet_agent"] : []),
      ...(droplet.ipv6 ? ["ipv6"] : []),
      ...(droplet.monitoring ? ["monitoring"] : []),
      "private_networking",
    ],
    backup_ids: [],
    next_backup_window: droplet.backupPolicy
      ? nextBackupWindow(droplet.backupPolicy, new Date())
      : null,
    snapshot_ids: related.snapshots.get(droplet.id) ?? [],
    image: image && imageView(image),
    volume_ids: related.volumes.get(droplet.id) ?? [],
    size: sizeView(size, openRegionSlugs),
    size_slug: droplet.size,
    // Until it runs, DigitalOcean shows none.
    networks: droplet.status === "new" ? { v4: [], v6: [] } : networksView(store, droplet),
    region: regionView(droplet.region),
    tags: droplet.tags,
    vpc_uuid: droplet.vpcId,
  };
}

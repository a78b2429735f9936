import { timestamp } from "../context";
import type { ImageRecord } from "../images/model";

export interface VolumeSnapshotRecord {
  readonly id: string;
  readonly name: string;
  readonly volumeId: string;
  readonly regions: readonly string[];
  readonly sizeGib: number;
  readonly filesystemType: "ext4" | "xfs" | undefined;
  readonly filesystemLabel: string;
  readonly tags: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
}

export const snapshotView = (snapshot: VolumeSnapshotRecord) => ({
  id: snapshot.id,
  name: snapshot.name,
  created_at: timestamp(new Date(snapshot.createdAt)),
  regions: snapshot.regions,
  min_disk_size: snapshot.sizeGib,
  size_gigabytes: 0,
  resource_id: snapshot.volumeId,
  resource_type: "volume",
  tags: snapshot.tags,
});

/** A Droplet's snapshot, which is an image too. */
export const imageSnapshotView = (image: ImageRecord) => ({
  id: String(image.id),
  name: image.name,
  created_at: timestamp(new Date(image.createdAt)),
  regions: image.regions,
  min_disk_size: image.minDiskGib,
  size_gigabytes: image.sizeGigabytes,
  resource_id: String(image.dropletId ?? ""),
  resource_type: "droplet",
  tags: image.tags,
});

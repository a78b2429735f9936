import type { VolumeSpec } from "../../machines/machines";
import { regionView } from "../catalogue/regions";
import { timestamp } from "../context";
import type { Store } from "../store";

export interface VolumeRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Slug. */
  readonly region: string;
  readonly sizeGib: number;
  readonly filesystemType: "ext4" | "xfs" | undefined;
  readonly filesystemLabel: string;
  readonly tags: readonly string[];
  readonly dropletId: number | undefined;
  /** An attachment, detachment or resize that is under way. */
  readonly busy: boolean;
  /** Being removed: nobody sees it any more. */
  readonly deleting: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
}

export function findVolume(store: Store, id: string): VolumeRecord | undefined {
  const volume = store.volumes.get(id);
  return volume?.deleting ? undefined : volume;
}

export const volumesOf = (store: Store, dropletId: number) =>
  store.volumes.filter((volume) => volume.dropletId === dropletId);

export const volumeSpec = (volume: VolumeRecord): VolumeSpec => ({
  id: volume.id,
  name: volume.name,
  sizeGib: volume.sizeGib,
  filesystemType: volume.filesystemType,
  filesystemLabel: volume.filesystemLabel,
});

export const volumeView = (volume: VolumeRecord) => ({
  id: volume.id,
  region: regionView(volume.region),
  droplet_ids: volume.dropletId === undefined ? [] : [volume.dropletId],
  name: volume.name,
  description: volume.description,
  size_gigabytes: volume.sizeGib,
  created_at: timestamp(new Date(volume.createdAt)),
  filesystem_type: volume.filesystemType ?? "",
  filesystem_label: volume.filesystemLabel,
  tags: volume.tags,
});

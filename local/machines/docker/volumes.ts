import type { VolumeSpec } from "../machines";
import type { AttachedVolume, Droplets } from "./droplets";
import type { Host } from "./host";

/** Volumes, and who has which: filled by `attach`, or by `recall` after a restart. */
export class VolumeShelf {
  private readonly attached = new Map<number, Map<string, AttachedVolume>>();

  constructor(
    private readonly host: Host,
    private readonly droplets: Droplets,
  ) {}

  async create(volume: VolumeSpec): Promise<void> {
    const { filesystemType: type, filesystemLabel: label } = volume;
    await this.host.createFile(volume.id, volume.sizeGib, type && { type, label });
  }

  async grow(volume: VolumeSpec): Promise<void> {
    await this.host.growFile(volume.id, volume.sizeGib);
  }

  async delete(id: string): Promise<void> {
    await this.host.deleteFile(id);
  }

  async attach(volume: VolumeSpec, dropletId: number): Promise<void> {
    await this.recall(volume, dropletId);
    await this.publish(dropletId);
  }

  /** The Volume's data stays, and is written out; what the Droplet had mounted is unmounted. */
  async detach(volume: VolumeSpec, dropletId: number): Promise<void> {
    this.attached.get(dropletId)?.delete(volume.id);
    if ((await this.droplets.power(dropletId)) !== "missing") await this.publish(dropletId);
  }

  /**
   * Notes that a Droplet has a Volume, without telling the Droplet.
   *
   * @returns whether the Volume had no device until now, as after a restart of the host.
   */
  async recall(volume: Pick<VolumeSpec, "id" | "name">, dropletId: number): Promise<boolean> {
    const { loop, fresh } = await this.host.attachLoop(volume.id);
    const own = this.attached.get(dropletId) ?? new Map<string, AttachedVolume>();
    own.set(volume.id, { id: volume.id, name: volume.name, loop });
    this.attached.set(dropletId, own);
    return fresh;
  }

  /** Tells a Droplet what it has. */
  async publish(dropletId: number): Promise<void> {
    await this.droplets.setVolumes(dropletId, [...(this.attached.get(dropletId)?.values() ?? [])]);
  }

  forget(dropletId: number): void {
    this.attached.delete(dropletId);
  }
}

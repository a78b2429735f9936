import type { DropletSpec, Machines, World } from "./machines";

/** Droplets without bodies: nothing runs, nothing is served; only their power is remembered, in memory. */
export class Simulated implements Machines {
  readonly kind = "simulated";
  private readonly power = new Map<number, "running" | "off">();

  async createVpc(): Promise<void> {}
  async deleteVpc(): Promise<void> {}
  async createVolume(): Promise<void> {}
  async growVolume(): Promise<void> {}
  async deleteVolume(): Promise<void> {}
  async attachVolume(): Promise<void> {}
  async detachVolume(): Promise<void> {}
  async applyNetwork(): Promise<void> {}
  async resize(): Promise<void> {}
  async close(): Promise<void> {}

  async createDroplet({ id }: DropletSpec): Promise<void> {
    this.power.set(id, "running");
  }

  async destroyDroplet(id: number): Promise<void> {
    this.power.delete(id);
  }

  async powerOn(id: number): Promise<void> {
    this.power.set(id, "running");
  }

  async powerOff(id: number): Promise<void> {
    this.power.set(id, "off");
  }

  async shutdown(id: number): Promise<void> {
    this.power.set(id, "off");
  }

  async reboot(id: number): Promise<void> {
    this.power.set(id, "running");
  }

  async restore({ droplets }: World): Promise<void> {
    for (const { id, power } of droplets) this.power.set(id, power === "on" ? "running" : "off");
  }

  async observe(): Promise<ReadonlyMap<number, "running" | "off" | "missing">> {
    return new Map(this.power);
  }
}

import type { DropletSpec, Machines, World } from "./machines";

const done = Promise.resolve();

/** Droplets without bodies: nothing runs, nothing is served; only their power is remembered, in memory. */
export class Simulated implements Machines {
  readonly kind = "simulated";
  private readonly power = new Map<number, "running" | "off">();

  createVpc(): Promise<void> {
    return done;
  }
  deleteVpc(): Promise<void> {
    return done;
  }
  createVolume(): Promise<void> {
    return done;
  }
  growVolume(): Promise<void> {
    return done;
  }
  deleteVolume(): Promise<void> {
    return done;
  }
  attachVolume(): Promise<void> {
    return done;
  }
  detachVolume(): Promise<void> {
    return done;
  }
  applyNetwork(): Promise<void> {
    return done;
  }
  applyLoadBalancer(): Promise<void> {
    return done;
  }
  deleteLoadBalancer(): Promise<void> {
    return done;
  }
  /** Nothing runs, so nothing is found unwell. */
  balancerHealth(): Promise<ReadonlyMap<number, "up" | "down">> {
    return Promise.resolve(new Map());
  }
  checkDatabase(): undefined {
    return undefined;
  }
  applyDatabase(): Promise<void> {
    return done;
  }
  deleteDatabase(): Promise<void> {
    return done;
  }
  applyRegistry(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  applySpaces(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  resize(): Promise<void> {
    return done;
  }
  close(): Promise<void> {
    return done;
  }

  createDroplet({ id }: DropletSpec): Promise<void> {
    this.power.set(id, "running");
    return done;
  }

  destroyDroplet(id: number): Promise<void> {
    this.power.delete(id);
    return done;
  }

  powerOn(id: number): Promise<void> {
    this.power.set(id, "running");
    return done;
  }

  powerOff(id: number): Promise<void> {
    this.power.set(id, "off");
    return done;
  }

  shutdown(id: number): Promise<void> {
    this.power.set(id, "off");
    return done;
  }

  reboot(id: number): Promise<void> {
    this.power.set(id, "running");
    return done;
  }

  restore({ droplets }: World): Promise<void> {
    for (const { id, power } of droplets) this.power.set(id, power === "on" ? "running" : "off");
    return done;
  }

  observe(): Promise<ReadonlyMap<number, "running" | "off" | "missing">> {
    return Promise.resolve(new Map(this.power));
  }
}

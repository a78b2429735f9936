import type Docker from "dockerode";
import type {
  DropletSpec,
  LoadBalancerSpec,
  Machines,
  NetworkSpec,
  VolumeSpec,
  VpcSpec,
  World,
} from "../machines";
import { type CloudInitStatus, cloudInitStatus, consoleLog } from "./boot-report";
import { Droplets } from "./droplets";
import { connectEngine, engineMessage } from "./engine";
import { Host } from "./host";
import { requireImages } from "./images";
import { LoadBalancers } from "./load-balancer";
import { checkInstance } from "./names";
import { NetworkControl } from "./network-control";
import { ensureServices } from "./services";
import { Turns } from "./turns";
import { VolumeShelf } from "./volumes";
import { createVpcNetwork, deleteVpcNetwork } from "./vpcs";

export { resetMachines } from "./reset";
export type { CloudInitStatus } from "./boot-report";

export interface DockerMachinesOptions {
  /** Six hex characters that mark everything of this instance. */
  readonly instance: string;
  /** @default the engine that this machine's tools use */
  readonly docker?: Docker;
  /**
   * IPv4 CIDR inside 127.0.0.0/8 that public addresses come from: those that lead to no Droplet swallow
   * packets instead of reaching this machine's own services.
   * @default only addresses that lead to a Droplet are special
   */
  readonly publicPool?: string;
  /**
   * Loopback port of an ACME server that Droplets find at https://169.254.169.253:14000.
   * @default 0: there is none
   */
  readonly acmePort?: number;
  /** Whether Droplets may reach the outside. @default `deny`, unless ARCHIPELAGO_LOCAL_EGRESS is `allow` */
  readonly egress?: "deny" | "allow";
}

/** What must be there before the first Droplet. */
interface Ground {
  readonly droplets: Droplets;
  readonly volumes: VolumeShelf;
  readonly network: NetworkControl;
  readonly loadBalancers: LoadBalancers;
}

/** Packet rules, bridges and devices belong to one kernel: whoever touches them waits for this turn. */
const KERNEL = "kernel";

/**
 * Droplets as containers that boot systemd, cloud-init, sshd and a Docker engine of their own; VPCs as
 * bridges; Volumes as loop devices. Everything survives this object, and the process that holds it.
 *
 * It is no security boundary: run only trusted images and user data.
 */
export class DockerMachines implements Machines {
  readonly kind = "docker";
  private readonly docker: Docker;
  private readonly instance: string;
  private readonly egress: "deny" | "allow";
  private ground: Promise<Ground> | undefined;
  private readonly turns = new Turns();

  constructor(private readonly options: DockerMachinesOptions) {
    checkInstance(options.instance);
    this.instance = options.instance;
    this.docker = options.docker ?? connectEngine();
    const asked = process.env.ARCHIPELAGO_LOCAL_EGRESS === "allow" ? "allow" : "deny";
    this.egress = options.egress ?? asked;
  }

  createVpc(vpc: VpcSpec): Promise<void> {
    return this.inTurn(() => createVpcNetwork(this.docker, this.instance, vpc));
  }

  deleteVpc(id: string): Promise<void> {
    return this.inTurn(() => deleteVpcNetwork(this.docker, this.instance, id));
  }

  async createVolume(volume: VolumeSpec): Promise<void> {
    const { volumes } = await this.ready();
    await volumes.create(volume);
  }

  async growVolume(volume: VolumeSpec): Promise<void> {
    const { volumes } = await this.ready();
    await volumes.grow(volume);
  }

  async deleteVolume(id: string): Promise<void> {
    const { volumes } = await this.ready();
    await this.inTurn(() => volumes.delete(id));
  }

  async createDroplet(droplet: DropletSpec): Promise<void> {
    const { droplets } = await this.ready();
    await droplets.create(droplet);
  }

  async destroyDroplet(id: number): Promise<void> {
    const { droplets, volumes } = await this.ready();
    await droplets.destroy(id);
    volumes.forget(id);
  }

  async powerOn(id: number): Promise<void> {
    const { droplets } = await this.ready();
    await droplets.start(id);
  }

  async powerOff(id: number): Promise<void> {
    const { droplets } = await this.ready();
    await droplets.kill(id);
  }

  async shutdown(id: number): Promise<void> {
    const { droplets } = await this.ready();
    await droplets.shutdown(id);
  }

  async reboot(id: number): Promise<void> {
    const { droplets } = await this.ready();
    await droplets.reboot(id);
  }

  async resize(
    id: number,
    size: Pick<DropletSpec, "vcpus" | "memoryMib" | "diskGib">,
  ): Promise<void> {
    const { droplets } = await this.ready();
    await droplets.resize(id, size);
  }

  async attachVolume(volume: VolumeSpec, dropletId: number): Promise<void> {
    const { volumes } = await this.ready();
    await this.inTurn(() => volumes.attach(volume, dropletId));
  }

  async detachVolume(volume: VolumeSpec, dropletId: number): Promise<void> {
    const { volumes } = await this.ready();
    await this.inTurn(() => volumes.detach(volume, dropletId));
  }

  async applyLoadBalancer(balancer: LoadBalancerSpec): Promise<void> {
    const { loadBalancers } = await this.ready();
    await this.turns.take(balancer.id, () => loadBalancers.apply(balancer));
  }

  async deleteLoadBalancer(id: string): Promise<void> {
    const { loadBalancers } = await this.ready();
    await this.turns.take(id, () => loadBalancers.delete(id));
  }

  async balancerHealth(id: string): Promise<ReadonlyMap<number, "up" | "down">> {
    const { loadBalancers } = await this.ready();
    return loadBalancers.health(id);
  }

  applyDatabase(): Promise<void> {
    return notServed("databases");
  }

  deleteDatabase(): Promise<void> {
    return notServed("databases");
  }

  applyRegistry(): Promise<number | undefined> {
    return notServed("container registries");
  }

  async applyNetwork(network: NetworkSpec): Promise<void> {
    const ground = await this.ready();
    await this.inTurn(() => ground.network.apply(network));
  }

  /** @throws {Error} naming everything that could not be brought back, after the rest was. */
  async restore(world: World): Promise<void> {
    const problems: string[] = [];
    const attempt = async (what: string, action: () => Promise<void>) => {
      await action().catch((error: unknown) => problems.push(`${what}: ${engineMessage(error)}`));
    };
    for (const vpc of world.vpcs) await attempt(`VPC ${vpc.name}`, () => this.createVpc(vpc));
    await this.applyNetwork(world.network);
    const { droplets, volumes } = await this.ready();
    const deviceless = new Set<number>();
    for (const { dropletId, ...volume } of world.volumes) {
      if (dropletId === undefined) continue;
      await attempt(`Volume ${volume.name}`, async () => {
        if (await volumes.recall(volume, dropletId)) deviceless.add(dropletId);
      });
    }
    await Promise.all(
      world.droplets.map((droplet) =>
        attempt(`Droplet ${droplet.name}`, async () => {
          const power = await droplets.power(droplet.id);
          if (power === "missing") throw new Error("its container is gone");
          await volumes.publish(droplet.id);
          if (droplet.power === "off") {
            if (power === "running") await droplets.kill(droplet.id);
          } else if (power === "off") {
            await droplets.start(droplet.id);
          } else if (deviceless.has(droplet.id)) {
            // It booted without the Volume's device (the host was restarted): once more, with it.
            await droplets.reboot(droplet.id);
          }
        }),
      ),
    );
    for (const balancer of world.loadBalancers ?? []) {
      await attempt(`Load Balancer ${balancer.name}`, () => this.applyLoadBalancer(balancer));
    }
    // Bridges of containers that have just started obey the rules as well.
    await this.applyNetwork(world.network);
    if (problems.length > 0) throw new Error(problems.join("; "));
  }

  async observe(): Promise<ReadonlyMap<number, "running" | "off" | "missing">> {
    const { droplets } = await this.ready();
    return droplets.list();
  }

  /** See `consoleLog` in boot-report.ts. */
  async consoleLog(dropletId: number, lines?: number): Promise<string> {
    const { droplets } = await this.ready();
    return consoleLog(droplets.container(dropletId), lines);
  }

  /** How far a Droplet's user data has got. */
  async cloudInitStatus(dropletId: number): Promise<CloudInitStatus> {
    const { droplets } = await this.ready();
    return cloudInitStatus(droplets.container(dropletId));
  }

  async close(): Promise<void> {
    await this.turns.settled();
  }

  /** Helper and services, found or made at the first call; a failure is tried again at the next. */
  private ready(): Promise<Ground> {
    this.ground ??= this.prepare().catch((error: unknown) => {
      this.ground = undefined;
      throw error;
    });
    return this.ground;
  }

  private async prepare(): Promise<Ground> {
    const images = await requireImages(this.docker);
    const { CgroupVersion } = (await this.docker.info()) as { CgroupVersion?: string };
    const [host, services] = await Promise.all([
      Host.open(this.docker, this.instance, images.machine),
      ensureServices(this.docker, this.instance, images),
    ]);
    const { docker, instance, egress } = this;
    const { publicPool, acmePort } = this.options;
    const droplets = new Droplets(docker, {
      instance,
      image: images.machine,
      cgroupVersion: CgroupVersion === "2" ? "2" : "1",
    });
    return {
      droplets,
      volumes: new VolumeShelf(host, droplets),
      network: new NetworkControl(docker, host, {
        instance,
        services,
        egress,
        publicPool,
        acmePort,
      }),
      loadBalancers: new LoadBalancers(docker, instance, images.support.web),
    };
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    return this.turns.take(KERNEL, action);
  }
}

function notServed(what: string): Promise<never> {
  return Promise.reject(new Error(`${what} have no local body yet`));
}

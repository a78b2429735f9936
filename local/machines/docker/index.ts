import type Docker from "dockerode";
import type {
  DatabaseSpec,
  DropletSpec,
  LoadBalancerSpec,
  Machines,
  NetworkSpec,
  RegistrySpec,
  SpacesDoor,
  SpacesSpec,
  VolumeSpec,
  VpcSpec,
  World,
} from "../machines";
import { type CloudInitStatus, cloudInitStatus, consoleLog } from "./boot-report";
import { checkDatabase } from "./database";
import { connectEngine } from "./engine";
import { type Ground, prepareGround } from "./ground";
import { checkInstance } from "./names";
import { restoreWorld } from "./restore";
import { KERNEL, Turns } from "./turns";
import { createVpcNetwork, deleteVpcNetwork } from "./vpcs";

export { hasMachines, resetMachines } from "./reset";
export type { CloudInitStatus } from "./boot-report";

export interface DockerMachinesOptions {
  /** Six hex characters that mark everything of this instance. */
  readonly instance: string;
  /** Where this local DigitalOcean keeps its state, for those who find its networks. @default unknown */
  readonly directory?: string;
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
    return this.inTurn(() =>
      createVpcNetwork(this.docker, this.instance, vpc, this.options.directory),
    );
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
    await loadBalancers.apply(balancer);
  }

  async deleteLoadBalancer(id: string): Promise<void> {
    const { loadBalancers } = await this.ready();
    await loadBalancers.delete(id);
  }

  async balancerHealth(id: string): Promise<ReadonlyMap<number, "up" | "down">> {
    const { loadBalancers } = await this.ready();
    return loadBalancers.health(id);
  }

  checkDatabase(database: Pick<DatabaseSpec, "engine" | "version" | "pools">): string | undefined {
    return checkDatabase(database);
  }

  async applyDatabase(database: DatabaseSpec): Promise<void> {
    const { databases } = await this.ready();
    await databases.apply(database);
  }

  async deleteDatabase(id: string): Promise<void> {
    const { databases } = await this.ready();
    await databases.delete(id);
  }

  async applyRegistry(registry: RegistrySpec | undefined): Promise<number | undefined> {
    const account = await this.ready();
    return account.registry.apply(registry);
  }

  async applySpaces(spaces: SpacesSpec): Promise<SpacesDoor> {
    const account = await this.ready();
    return account.spaces.apply(spaces);
  }

  async applyNetwork(network: NetworkSpec): Promise<void> {
    const ground = await this.ready();
    await ground.network.apply(network);
  }

  /** @throws {Error} naming everything that could not be brought back, after the rest was. */
  async restore(world: World): Promise<void> {
    await restoreWorld(await this.ready(), world, (vpc) => this.createVpc(vpc));
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
    const { instance, egress, turns } = this;
    this.ground ??= prepareGround(this.docker, { ...this.options, instance, egress, turns }).catch(
      (error: unknown) => {
        this.ground = undefined;
        throw error;
      },
    );
    return this.ground;
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    return this.turns.take(KERNEL, action);
  }
}

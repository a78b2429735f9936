import type Docker from "dockerode";
import type { DropletSpec } from "../machines";
import { dropletContainer, type DropletHost, engineVolumes, limits } from "./droplet-container";
import { execOrThrow, isAlreadySo, orMissing } from "./engine";
import { archive } from "./files";
import { dropletName, ID_LABEL, INSTANCE_LABEL, objectLabels, ROLE_LABEL } from "./names";
import { seedArchive } from "./seed";

/** How long a Droplet may take to shut down before it is switched off, as on DigitalOcean. */
const SHUTDOWN_SECONDS = 60;
/** Where the machine image looks for the Volumes it has, without the leading slash. */
const VOLUME_LIST = "etc/archipelago/volumes";
const VOLUME_COMMAND = "/usr/local/sbin/archipelago-volumes";

/** A Volume as a Droplet sees it. */
export interface AttachedVolume {
  readonly id: string;
  readonly name: string;
  /** Number of its loop device. */
  readonly loop: number;
}

export type Power = "running" | "off" | "missing";

/** The containers that are Droplets. */
export class Droplets {
  constructor(
    private readonly docker: Docker,
    private readonly host: DropletHost,
  ) {}

  /** Makes and starts a Droplet; one that was cut short while being made is made anew. */
  async create(droplet: DropletSpec): Promise<void> {
    const { instance } = this.host;
    const container = this.container(droplet.id);
    const existing = await orMissing(container.inspect());
    if (existing && existing.State.Status !== "created") return this.start(droplet.id);
    if (existing) await container.remove({ force: true, v: true });
    for (const name of Object.values(engineVolumes(instance, droplet.id))) {
      const Labels = objectLabels(instance, "droplet", droplet.id);
      await this.docker.createVolume({ Name: name, Labels });
    }
    await this.docker.createContainer(dropletContainer(droplet, this.host));
    await container.putArchive(await seedArchive(droplet), { path: "/" });
    await this.start(droplet.id);
  }

  /** Removes a Droplet and its disk; fine when it is gone. */
  async destroy(id: number): Promise<void> {
    await orMissing(this.container(id).remove({ force: true, v: true }));
    for (const name of Object.values(engineVolumes(this.host.instance, id))) {
      await orMissing(this.docker.getVolume(name).remove());
    }
  }

  async start(id: number): Promise<void> {
    await this.container(id).start().catch(ignoreAlreadySo);
  }

  /** Pulls the plug. */
  async kill(id: number): Promise<void> {
    // 409: it is not running.
    await this.container(id).kill({ signal: "SIGKILL" }).catch(ignoreAlreadySo);
    await this.container(id).wait({ condition: "not-running" });
  }

  async shutdown(id: number): Promise<void> {
    await this.container(id).stop({ t: SHUTDOWN_SECONDS }).catch(ignoreAlreadySo);
  }

  async reboot(id: number): Promise<void> {
    await this.container(id).restart({ t: SHUTDOWN_SECONDS });
  }

  async resize(id: number, size: Pick<DropletSpec, "vcpus" | "memoryMib">): Promise<void> {
    await this.container(id).update(limits(size));
  }

  /** Tells a Droplet which Volumes it has: devices appear and vanish at once, and come back at every start. */
  async setVolumes(id: number, volumes: readonly AttachedVolume[]): Promise<void> {
    const content = volumes.map(({ name, id, loop }) => `${name} ${id} ${loop}\n`).join("");
    const container = this.container(id);
    await container.putArchive(await archive([{ name: VOLUME_LIST, content }]), { path: "/" });
    if ((await container.inspect()).State.Running) {
      await execOrThrow(container, "update the Volumes", [VOLUME_COMMAND]);
    }
  }

  async power(id: number): Promise<Power> {
    const found = await orMissing(this.container(id).inspect());
    if (!found) return "missing";
    return found.State.Running ? "running" : "off";
  }

  /** Every Droplet that has a container. */
  async list(): Promise<Map<number, Power>> {
    const label = [`${INSTANCE_LABEL}=${this.host.instance}`, `${ROLE_LABEL}=droplet`];
    const found = await this.docker.listContainers({ all: true, filters: { label } });
    return new Map(
      found.map(({ Labels, State }) => [
        Number(Labels[ID_LABEL]),
        State === "running" ? "running" : "off",
      ]),
    );
  }

  container(id: number): Docker.Container {
    return this.docker.getContainer(dropletName(this.host.instance, id));
  }
}

function ignoreAlreadySo(error: unknown): void {
  if (!isAlreadySo(error)) throw error;
}

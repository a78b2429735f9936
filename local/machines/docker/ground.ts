import type Docker from "dockerode";
import { Databases } from "./database";
import { Droplets } from "./droplets";
import { Host } from "./host";
import { requireImages } from "./images";
import { LoadBalancers } from "./load-balancer";
import { NetworkControl } from "./network-control";
import { Registry } from "./registry";
import { ensureServices } from "./services";
import { Spaces } from "./spaces";
import type { Turns } from "./turns";
import { VolumeShelf } from "./volumes";

export interface GroundOptions {
  /** Six hex characters. */
  readonly instance: string;
  readonly egress: "deny" | "allow";
  readonly publicPool?: string | undefined;
  readonly acmePort?: number | undefined;
  readonly turns: Turns;
}

/** What must be there before the first Droplet, and those who look after each kind of machine. */
export interface Ground {
  readonly network: NetworkControl;
  readonly droplets: Droplets;
  readonly volumes: VolumeShelf;
  readonly loadBalancers: LoadBalancers;
  readonly databases: Databases;
  readonly registry: Registry;
  readonly spaces: Spaces;
}

/** Finds or makes the helper and the services of an instance. */
export async function prepareGround(docker: Docker, options: GroundOptions): Promise<Ground> {
  const { instance, egress, publicPool, acmePort, turns } = options;
  const images = await requireImages(docker);
  const [host, services] = await Promise.all([
    Host.open(docker, instance, images.machine),
    ensureServices(docker, instance, images),
  ]);
  const rules = { instance, services, egress, publicPool, acmePort };
  const network = new NetworkControl(docker, host, rules, turns);
  const droplets = new Droplets(docker, { instance, image: images.machine });
  const balancer = { instance, image: images.support.web, turns };
  const server = { instance, image: images.support.support, turns };
  return {
    network,
    droplets,
    volumes: new VolumeShelf(host, droplets),
    loadBalancers: new LoadBalancers(docker, balancer),
    databases: new Databases(docker, server),
    registry: new Registry(docker, server, network),
    spaces: new Spaces(docker, server, network),
  };
}

import type Docker from "dockerode";
import type { DropletSpec } from "../machines";
import { dropletName, objectLabels, objectName, vpcName } from "./names";
import { SERVICE_ADDRESS } from "./network";

/** What the container needs to know of its surroundings. */
export interface DropletHost {
  readonly instance: string;
  readonly image: string;
}

const MIB = 2 ** 20;
/** Scheduler period that `vcpus` is a quota of, in microseconds: the kernel's default. */
const CPU_PERIOD = 100_000;

/** Docker volumes that hold a Droplet's inner engine; they go with the Droplet. */
export function engineVolumes(instance: string, dropletId: number): Record<string, string> {
  return {
    "/var/lib/docker": objectName(instance, "droplet", dropletId, "docker"),
    "/var/lib/containerd": objectName(instance, "droplet", dropletId, "containerd"),
  };
}

/**
 * A Droplet's size as limits. A quota and not `NanoCpus`, which the engine refuses above the host's own
 * number of processors.
 */
export function limits(
  size: Pick<DropletSpec, "vcpus" | "memoryMib">,
): Pick<Docker.HostConfig, "CpuPeriod" | "CpuQuota" | "Memory" | "MemorySwap"> {
  const memory = size.memoryMib * MIB;
  return {
    CpuPeriod: CPU_PERIOD,
    CpuQuota: size.vcpus * CPU_PERIOD,
    Memory: memory,
    MemorySwap: memory,
  };
}

/**
 * A container that boots systemd, with room for an inner engine.
 *
 * Not `--privileged`: that asks for CAP_SYS_RESOURCE, which sandboxes and nested engines often lack.
 */
export function dropletContainer(
  droplet: DropletSpec,
  host: DropletHost,
): Docker.ContainerCreateOptions {
  const network = vpcName(host.instance, droplet.vpcId);
  const volumes = Object.entries(engineVolumes(host.instance, droplet.id));
  // The inner engine's containers are then below the Droplet's own limits and not beside it, and systemd cannot
  // change the host (moby#42275). `archipelago-init` makes the tree writable.
  const ownCgroups = { CgroupnsMode: "private" };
  const unmasked = { MaskedPaths: [], ReadonlyPaths: [] };
  return {
    name: dropletName(host.instance, droplet.id),
    Image: host.image,
    Hostname: droplet.name,
    Env: ["container=docker"],
    Labels: objectLabels(host.instance, "droplet", droplet.id),
    StopSignal: "SIGRTMIN+3",
    HostConfig: {
      ...unmasked,
      ...limits(droplet),
      ...ownCgroups,
      NetworkMode: network,
      Dns: [SERVICE_ADDRESS],
      CapAdd: ["ALL"],
      CapDrop: ["SYS_RESOURCE"],
      SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
      DeviceCgroupRules: ["a *:* rwm"],
      Tmpfs: { "/run": "exec", "/tmp": "exec" },
      Binds: volumes.map(([path, name]) => `${name}:${path}`),
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
    },
    NetworkingConfig: {
      EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: droplet.privateIp } } },
    },
  };
}

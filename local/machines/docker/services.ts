import type Docker from "dockerode";
import { orMissing } from "./engine";
import type { ImageNames } from "./image-names";
import { freePort, registryAnswers, registryProcess } from "./mirror-seed";
import { NAMES_FILE } from "./name-server";
import { objectLabels, objectName, type Role } from "./names";

/** What the mirror passes requests on to, where it is reachable. */
const DOCKER_HUB = "https://registry-1.docker.io";
const REACH_TIMEOUT_MS = 3000;
/** Label with the loopback port that a container listens on. */
export const PORT_LABEL = "archipelago.port";

/** Loopback ports of what Droplets find at link-local addresses. */
export interface ServicePorts {
  /** Registry mirror, TCP. */
  readonly mirror: number;
  /** Name server, UDP. */
  readonly names: number;
}

interface Service {
  readonly role: Extract<Role, "mirror" | "names">;
  /** Command and environment of the process that listens on the port, on loopback. */
  process(port: number): Promise<Docker.ContainerCreateOptions> | Docker.ContainerCreateOptions;
  /** Resolves when it serves. */
  answers(port: number): Promise<void>;
}

/**
 * Registry that Droplets load images from. It passes on to Docker Hub where that was reachable when the
 * mirror was made, else serves the substitutes.
 */
const mirror: Service = {
  role: "mirror",
  process: async (port) =>
    registryProcess(port, (await reachable(DOCKER_HUB)) ? DOCKER_HUB : undefined),
  answers: registryAnswers,
};

/** Name server of Droplets. */
const names: Service = {
  role: "names",
  process: (port) => ({
    Cmd: ["node", "/etc/archipelago/name-server.cjs", String(port), NAMES_FILE],
  }),
  answers: () => Promise.resolve(),
};

/**
 * Finds or starts the services of an instance: containers that listen on the host's loopback, to which the
 * network rules lead Droplets, and that survive the daemon.
 */
export async function ensureServices(
  docker: Docker,
  instance: string,
  images: ImageNames,
): Promise<ServicePorts> {
  const ensure = (service: Service) => ensureService(docker, instance, images.mirror, service);
  const [mirrorPort, namesPort] = await Promise.all([ensure(mirror), ensure(names)]);
  return { mirror: mirrorPort, names: namesPort };
}

async function ensureService(
  docker: Docker,
  instance: string,
  image: string,
  service: Service,
): Promise<number> {
  const name = objectName(instance, service.role);
  const container = docker.getContainer(name);
  const existing = await orMissing(container.inspect());
  if (existing) {
    const port = Number(existing.Config.Labels[PORT_LABEL]);
    if (existing.Config.Image === image && (await serves(container, service, port))) return port;
    await container.remove({ force: true, v: true });
  }
  const port = await freePort();
  await docker.createContainer({
    name,
    Image: image,
    ...(await service.process(port)),
    Labels: { ...objectLabels(instance, service.role), [PORT_LABEL]: String(port) },
    HostConfig: {
      NetworkMode: "host",
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
    },
  });
  await container.start();
  await service.answers(port);
  return port;
}

/** Starts the container if need be; false when it does not answer, e.g. because its port was taken. */
async function serves(
  container: Docker.Container,
  service: Service,
  port: number,
): Promise<boolean> {
  try {
    if (!(await container.inspect()).State.Running) await container.start();
    await service.answers(port);
    return true;
  } catch {
    return false;
  }
}

async function reachable(url: string): Promise<boolean> {
  return fetch(`${url}/v2/`, { signal: AbortSignal.timeout(REACH_TIMEOUT_MS) }).then(
    // Without credentials Docker Hub's registry answers 401.
    (response) => response.status === 401 || response.ok,
    () => false,
  );
}

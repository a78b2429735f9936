import type Docker from "dockerode";
import { orMissing } from "./engine";
import type { ImageNames } from "./image-names";
import { freePort, registryAnswers, registryProcess } from "./mirror-seed";
import { objectLabels, objectName } from "./names";

/** What the mirror passes requests on to, where it is reachable. */
const DOCKER_HUB = "https://registry-1.docker.io";
const REACH_TIMEOUT_MS = 3000;
const PORT_LABEL = "archipelago.port";

/**
 * Registry that Droplets load images from, as a container of ours that survives the daemon. It passes on to
 * Docker Hub where that was reachable when the mirror was made, else serves the substitutes.
 *
 * It listens on loopback; the network rules lead Droplets there from 169.254.169.253:5000.
 *
 * @returns its port on loopback.
 */
export async function ensureMirror(
  docker: Docker,
  instance: string,
  images: ImageNames,
): Promise<number> {
  const name = objectName(instance, "mirror");
  const existing = await orMissing(docker.getContainer(name).inspect());
  if (existing) {
    const port = Number(existing.Config.Labels[PORT_LABEL]);
    if (existing.Config.Image === images.mirror && (await serves(docker, name, port))) return port;
    await docker.getContainer(name).remove({ force: true, v: true });
  }
  const port = await freePort();
  const proxyOf = (await reachable(DOCKER_HUB)) ? DOCKER_HUB : undefined;
  const container = await docker.createContainer({
    name,
    Image: images.mirror,
    ...registryProcess(port, proxyOf),
    Labels: { ...objectLabels(instance, "mirror"), [PORT_LABEL]: String(port) },
    HostConfig: {
      NetworkMode: "host",
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
    },
  });
  await container.start();
  await registryAnswers(port);
  return port;
}

/** Starts the container if need be; false when it does not answer, e.g. because its port was taken. */
async function serves(docker: Docker, name: string, port: number): Promise<boolean> {
  try {
    const container = docker.getContainer(name);
    if (!(await container.inspect()).State.Running) await container.start();
    await registryAnswers(port);
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

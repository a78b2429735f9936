import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import type Docker from "dockerode";
import { follow, reference } from "./image-build";
import { type ImageNames, SUBSTITUTES } from "./image-names";

/** How long a registry may take to answer its first request. */
const START_TIMEOUT_MS = 20_000;

/** The registry's command: it listens on loopback only. */
export function registryProcess(port: number, proxyOf?: string): Docker.ContainerCreateOptions {
  return {
    Cmd: ["docker-registry", "serve", "/etc/archipelago/registry.yml"],
    Env: [
      `REGISTRY_HTTP_ADDR=127.0.0.1:${port}`,
      "OTEL_TRACES_EXPORTER=none",
      ...(proxyOf === undefined ? [] : [`REGISTRY_PROXY_REMOTEURL=${proxyOf}`]),
    ],
  };
}

/**
 * Fills a registry with the substitutes by ordinary pushes and keeps it as an image, so that every instance
 * starts from a full one.
 */
export async function seedMirrorImage(docker: Docker, names: ImageNames): Promise<void> {
  const port = await freePort();
  const container = await docker.createContainer({
    name: `archipelago-seed-${randomBytes(4).toString("hex")}`,
    Image: names.support.support,
    ...registryProcess(port),
    HostConfig: { NetworkMode: "host" },
  });
  try {
    await container.start();
    await registryAnswers(port);
    for (const { repository, tag, stage } of SUBSTITUTES) {
      const repo = `127.0.0.1:${port}/${repository}`;
      await docker.getImage(names.support[stage]).tag({ repo, tag });
      const pushed = docker.getImage(`${repo}:${tag}`);
      try {
        await follow(docker, await pushed.push({ authconfig: {} }), () => undefined);
      } finally {
        await pushed.remove();
      }
    }
    await container.stop();
    await container.commit(reference(names.mirror));
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** A loopback port that nobody uses right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no free loopback port");
  return address.port;
}

/** Waits until the registry on a loopback port answers. */
export async function registryAnswers(port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const answered = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    if (Date.now() > deadline) {
      throw new Error(`the registry mirror on port ${port} does not answer`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Ports of loopback that another process can listen on. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the range from which Linux takes the ports of outgoing connections, which could have one before its server does. */
const [LOWEST, HIGHEST] = [15_000, 32_000];

export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

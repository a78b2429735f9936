import type Docker from "dockerode";
import { removeBody } from "./body";
import { orMissing } from "./engine";
import { freePort } from "./mirror-seed";
import { PORT_LABEL } from "./services";

/**
 * Has a service answer on the loopback port that its container has, else on another one in a new container.
 *
 * @param name of the container.
 * @param what for the message.
 * @param serve makes or finds the container of that port; false when nobody answers there, e.g. because the port is taken.
 * @throws {Error} when nobody answers on the other port either.
 */
export async function onLoopback(
  docker: Docker,
  name: string,
  what: string,
  serve: (port: number) => Promise<boolean>,
): Promise<number> {
  const existing = await orMissing(docker.getContainer(name).inspect());
  const kept = Number(existing?.Config.Labels[PORT_LABEL]);
  if (kept && (await serve(kept))) return kept;
  await removeBody(docker, name);
  const port = await freePort();
  if (await serve(port)) return port;
  throw new Error(`${what} does not answer on port ${port}`);
}

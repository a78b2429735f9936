import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import Docker from "dockerode";
import type { Context } from "../protocol/resource";
import type { SshConnection } from "../ssh/connection";
import { messageOf, waitUntil, type Attempt } from "../wait";

const SOCKET = "/var/run/docker.sock";

/** Docker's own minimum is 1.41 here: `replicated-job` services and `ServiceStatus` need it (Docker 20.10). */
const API_VERSION = "v1.41";

const engines = new WeakMap<SshConnection, Docker>();

/** Docker's Engine API of the node behind `connection`, through its Unix socket: no port is open and no CLI is run there. */
export function dockerEngine(connection: SshConnection): Docker {
  let engine = engines.get(connection);
  if (!engine) {
    engine = new Docker({
      // Everything is named, because docker-modem takes what is missing from DOCKER_HOST and its kin.
      protocol: "http",
      host: "docker",
      port: 80,
      version: API_VERSION,
      agent: new SocketAgent(connection),
    } as Docker.DockerOptions);
    engines.set(connection, engine);
  }
  return engine;
}

/** The node's engine, once it answers. */
export async function waitForEngine(
  connection: SshConnection,
  context: Context,
  timeoutSeconds: number,
): Promise<Docker> {
  const engine = dockerEngine(connection);
  return waitUntil(
    { what: `the Docker engine on ${connection.address.host}`, timeoutSeconds, context },
    async (): Promise<Attempt<Docker>> => {
      try {
        await engine.ping();
        return { done: engine };
      } catch (error) {
        return { pending: messageOf(error) };
      }
    },
  );
}

/** The status code of an answer that Docker refused with. */
export function statusCodeOf(error: unknown): number | undefined {
  return typeof error === "object" && error !== null
    ? (error as { statusCode?: number }).statusCode
    : undefined;
}

/** Opens each HTTP connection as a channel of one SSH connection. */
class SocketAgent extends Agent {
  constructor(private readonly connection: SshConnection) {
    super();
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.connection.openSocket(SOCKET).then(
      (channel) => callback?.(null, asSocket(channel)),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}

/** An SSH channel lacks the methods of a TCP socket that `node:http` calls; none of them means anything here. */
function asSocket(channel: Duplex): Duplex {
  const nothing = () => channel;
  return Object.assign(channel, {
    setKeepAlive: nothing,
    setNoDelay: nothing,
    setTimeout: nothing,
    ref: nothing,
    unref: nothing,
    destroySoon: () => channel.destroy(),
  });
}

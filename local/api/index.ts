import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { Machines } from "../machines/machines";
import { parseCidr } from "./addresses";
import { Tokens } from "./auth";
import { Authority } from "./authority";
import { autoscaleTransitions } from "./autoscale/lifecycle";
import { certificateTransitions, renewDue } from "./certificates/lifecycle";
import type { Context, Limits } from "./context";
import { dropletTransitions } from "./droplets/lifecycle";
import { DatabaseBodies } from "./databases/bodies";
import { databaseTransitions } from "./databases/lifecycle";
import { StateError } from "./errors";
import { type Fault, Faults } from "./faults";
import { Lifecycle, type Progress } from "./lifecycle";
import { loadBalancerTransitions } from "./load-balancers/lifecycle";
import { createMetadata } from "./metadata";
import { natGatewayTransitions } from "./nat-gateways/model";
import { Network, world } from "./network";
import { defaultProject } from "./projects/model";
import { digitalOceanRateLimit, type RateLimit, RateLimiter } from "./rate-limit";
import { RegistryServer } from "./registry/server";
import { reservedIpTransitions } from "./reserved-ips/lifecycle";
import { createServer } from "./server";
import { SpacesServer } from "./spaces/server";
import { Store } from "./store";
import { volumeTransitions } from "./volumes/lifecycle";
import { vpcPeeringTransitions } from "./vpc-peerings/model";
import { vpcTransitions } from "./vpcs/lifecycle";

export { StateError } from "./errors";
export type { Fault } from "./faults";
export type { Progress } from "./lifecycle";

export interface ApiOptions {
  /** Directory that holds all state; made when missing. One process at a time may use it. */
  readonly stateDir: string;
  /** Bearer tokens that are let in; at least one. */
  readonly tokens: readonly string[];
  /** What gives Droplets a body. */
  readonly machines: Machines;
  /** IPv4 CIDR of loopback addresses that stand for public ones, e.g. `127.77.0.0/16`. */
  readonly publicPool: string;
  /** TCP port on 127.0.0.1; 0 = any. @default 0 */
  readonly port?: number;
  /** TCP port of the metadata server on 127.0.0.1; 0 = any. @default 0 */
  readonly metadataPort?: number;
  /** How fast lifecycles go on. @default "immediate" */
  readonly progress?: Progress;
  /** Refuse requests over a limit; `true` = DigitalOcean's, `false` = only count. @default false */
  readonly rateLimit?: boolean | Partial<RateLimit>;
  /** Account limits. @default those of a new account, with 1000 Droplets */
  readonly limits?: Partial<Limits>;
  /** Failures to play to clients. @default none */
  readonly faults?: readonly Fault[];
  /** Takes one line at a time. @default nothing is logged */
  readonly log?: (line: string) => void;
  /** @default the system's clock */
  readonly now?: () => Date;
}

export interface Api {
  /** `http://127.0.0.1:<port>`, for DIGITALOCEAN_API_URL. */
  readonly url: string;
  readonly port: number;
  readonly metadataPort: number;
  /** Stops answering; machines go on running, and what is under way goes on at the next start. */
  close(): Promise<void>;
}

const loopback = "127.0.0.1";

/**
 * Starts the local DigitalOcean: the REST API and the metadata server, on loopback alone.
 *
 * @throws {StateError} when the state is in use by another process, cannot be written, or the disk is full.
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { stateDir, machines, log = () => undefined, now = () => new Date() } = options;
  const publicPool = parseCidr(options.publicPool);
  if (!publicPool || publicPool.prefix > 30)
    throw new Error(`publicPool must be an IPv4 CIDR of at least /30, got ${options.publicPool}`);
  const tokens = new Tokens(options.tokens);
  const store = Store.open(stateDir);

  let metadataPort = 0;
  const network = new Network(store, machines, () => metadataPort);
  const problems: string[] = [];
  const lifecycle: Lifecycle = new Lifecycle(
    () => context,
    {
      ...autoscaleTransitions,
      ...certificateTransitions,
      ...databaseTransitions,
      ...dropletTransitions,
      ...volumeTransitions,
      ...reservedIpTransitions,
      ...loadBalancerTransitions,
      ...vpcTransitions,
      ...vpcPeeringTransitions,
      ...natGatewayTransitions,
    },
    options.progress ?? "immediate",
  );
  const context: Context = {
    store,
    machines,
    lifecycle,
    network,
    authority: await Authority.open(store),
    databases: new DatabaseBodies(() => context),
    registry: new RegistryServer(() => context),
    spaces: new SpacesServer(() => context),
    publicPool,
    limits: { droplets: 1000, reservedIps: 3, volumes: 100, ...options.limits },
    problems,
    now,
    log,
  };
  const limiter = new RateLimiter(
    { ...digitalOceanRateLimit, ...(typeof options.rateLimit === "object" && options.rateLimit) },
    options.rateLimit !== undefined && options.rateLimit !== false,
    () => now().getTime(),
  );
  const server = createServer(context, { tokens, limiter, faults: new Faults(options.faults) });
  const metadata = createMetadata({ store });

  const close = async () => {
    await Promise.all([server.close(), metadata.close()]);
    await lifecycle.close();
    await store.close();
  };

  try {
    store.transaction(() => prepare(context, options.publicPool));
    metadataPort = await listen(metadata, options.metadataPort ?? 0, "metadata server");
    try {
      await machines.restore(world(store, metadataPort));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      problems.push(message);
      log(`machines could not all be restored: ${message}`);
    }
    const port = await listen(server, options.port ?? 0, "API");
    lifecycle.resume();
    lifecycle.commit(() => renewDue(context));
    return { url: `http://${loopback}:${port}`, port, metadataPort, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What every account has from the start; call inside a transaction. */
function prepare(context: Context, publicPool: string): void {
  const { store } = context;
  for (const name of ["account-uuid", "team-uuid"])
    if (store.setting(name) === undefined) store.setSetting(name, randomUUID());
  store.setSetting("public-pool", publicPool);
  defaultProject(context);
}

async function listen(app: FastifyInstance, port: number, what: string): Promise<number> {
  try {
    await app.listen({ host: loopback, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE")
      throw new StateError(
        `Port ${port} on ${loopback}, wanted by the local DigitalOcean's ${what}, is taken: stop what uses it, or give another port.`,
      );
    throw error;
  }
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return address.port;
}

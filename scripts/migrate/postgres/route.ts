/** From which server to which: of a stack's two, or one outside and the stack's. */
import { Fault } from "../../../local/fault";
import type { Target } from "../../operator/target";
import type { StartPsql } from "../psql";
import { OutsideServer } from "./outside";
import type { Finding } from "./preflight";
import type { Side } from "./side";
import type { CopyJob } from "./snapshot";
import { type Engine, StackServers } from "./stack";
import type { Poolers } from "./switch";

/** What a migration needs of the servers it is between. */
export interface Route {
  /** Those of the stack that move together. */
  readonly databases: readonly string[];
  readonly poolers: Poolers;
  /** The app is led by us; else somebody leads it once it may write on the target. */
  readonly leadsApp: boolean;
  sides(database: string): Promise<{ readonly source: Side; readonly target: Side }>;
  /** Obstacles besides those that every source can have. */
  faults(source: Side, target: Side): Promise<readonly Finding[]>;
  /** A session of the replication protocol at the source. */
  replication(database: string): StartPsql;
  copy(database: string, job: CopyJob): Promise<void>;
}

/** `--from` and `--to`, and of which stack's databases. */
export interface Ends {
  readonly from: string;
  readonly to: string;
  /** Of the stack, for a server outside. */
  readonly database: string;
}

/** @throws {Fault} when they are no two ends of a migration. @returns the stack, and how its servers make a route. */
export function parseEnds({ from, to, database }: Ends): {
  readonly stack: string;
  readonly open: (target: Target) => Promise<Route>;
} {
  const [source, target] = [OutsideServer.parse(from), OutsideServer.parse(to)];
  if (source && target) throw new Fault("--from or --to must be a stack.");
  const outside = source ?? target;
  if (outside) {
    const stack = source ? to : from;
    if (stack.includes(":")) {
      throw new Fault(`A server outside goes with a stack as a whole, such as web, got ${stack}.`);
    }
    return {
      stack,
      open: async (at) =>
        withOutside(await StackServers.container(at), await OutsideServer.find(outside), {
          database,
          isSource: source !== undefined,
        }),
    };
  }
  const [first, second] = [parsePlace("--from", from), parsePlace("--to", to)];
  if (first.stack !== second.stack || first.engine === second.engine) {
    throw new Fault(
      `--from and --to must be the two servers of one stack, such as ${first.stack}:container and ${first.stack}:managed, got ${from} and ${to}.`,
    );
  }
  return {
    stack: first.stack,
    open: async (at) => within(await StackServers.find(at), first.engine, second.engine),
  };
}

function parsePlace(option: string, text: string): { stack: string; engine: Engine } {
  const [, stack, engine] = /^([^:]+):(container|managed)$/.exec(text) ?? [];
  if (stack === undefined || engine === undefined) {
    throw new Fault(
      `${option} must be <stack>:container or <stack>:managed, or service:<name> or env for a server outside, got ${text}.`,
    );
  }
  return { stack, engine: engine as Engine };
}

function within(servers: StackServers, from: Engine, to: Engine): Route {
  return {
    databases: servers.databases,
    poolers: servers.poolers(),
    leadsApp: true,
    sides: async (database) => ({
      source: await servers.side(from, database),
      target: await servers.side(to, database),
    }),
    faults: () => Promise.resolve([]),
    replication: (database) => servers.replication(from, database),
    copy: (database, job) => servers.copy(from, database, job),
  };
}

/** Nobody waits at a pooler of ours: an app outside is stopped, or fails until it is led elsewhere. */
const NO_POOLERS: Poolers = {
  open: () => Promise.resolve(),
  pause: () => Promise.resolve({ empty: Promise.resolve() }),
  resume: () => Promise.resolve(),
};

/** What is needed of a stack whose only server is a container. */
export type ContainerServers = Pick<StackServers, "databases" | "side" | "session" | "replication">;

/** @throws {Fault} when the stack has no such database. */
export function withOutside(
  servers: ContainerServers,
  outside: OutsideServer,
  { database, isSource }: { database: string; isSource: boolean },
): Route {
  if (!servers.databases.includes(database)) {
    throw new Fault(
      `--database must be one of ${servers.databases.join(", ")}, which the stack has, got ${database}.`,
    );
  }
  return {
    databases: [database],
    poolers: NO_POOLERS,
    leadsApp: false,
    sides: async () => {
      const ours = await servers.side("container", database);
      const theirs = await outside.side();
      return isSource ? { source: theirs, target: ours } : { source: ours, target: theirs };
    },
    faults: (source, target) => outside.preflight(isSource ? source : target),
    replication: () =>
      isSource ? outside.replication() : servers.replication("container", database),
    copy: (_, job) => {
      if (isSource) return outside.copy(job, database, servers.session("container", database));
      throw new Fault(
        `${outside.label} has no copy that came from there or went there: only what came from a server outside goes back to one.`,
      );
    },
  };
}

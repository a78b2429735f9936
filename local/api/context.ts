import type { Machines } from "../machines/machines";
import type { Range } from "./addresses";
import type { Authority } from "./authority";
import type { DatabaseBodies } from "./databases/bodies";
import type { Lifecycle } from "./lifecycle";
import type { Network } from "./network";
import type { RegistryServer } from "./registry/server";
import type { SpacesServer } from "./spaces/server";
import type { Store } from "./store";

/** DigitalOcean's limits for a new account; https://docs.digitalocean.com/platform/accounts/limits/ */
export interface Limits {
  /** @default 1000; DigitalOcean starts accounts with 10 to 25 and raises that on request. */
  readonly droplets: number;
  /** @default 3 */
  readonly reservedIps: number;
  /** @default 100 */
  readonly volumes: number;
}

/** What every service works with. */
export interface Context {
  readonly store: Store;
  readonly machines: Machines;
  readonly lifecycle: Lifecycle;
  readonly network: Network;
  readonly authority: Authority;
  readonly databases: DatabaseBodies;
  readonly registry: RegistryServer;
  readonly spaces: SpacesServer;
  readonly publicPool: Range;
  readonly limits: Limits;
  /** What could not be brought back at the start, for the operator. */
  readonly problems: readonly string[];
  readonly now: () => Date;
  /** One line for the operator's log. */
  readonly log: (line: string) => void;
}

/** DigitalOcean writes times without fractions of a second. */
export const timestamp = (date: Date) => `${date.toISOString().slice(0, 19)}Z`;

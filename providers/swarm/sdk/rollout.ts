import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "./connection";
import { SwarmResource } from "./resource";

export interface RolloutArgs {
  /** A manager. */
  readonly connection: pulumi.Input<Connection>;
  /** Names of swarm services; `version` is anything that changes when the service does. */
  readonly services: pulumi.Input<
    pulumi.Input<{ name: pulumi.Input<string>; version?: pulumi.Input<string> }>[]
  >;
  /** Asked from the operator's machine once the services are well; any answer below 500 will do. @default none */
  readonly url?: pulumi.Input<string> | undefined;
  /** Anything whose change is reason to look again. @default none */
  readonly triggers?: pulumi.Input<unknown>;
  /** For all of it together, 1 to 3600. @default 300 */
  readonly timeoutSeconds?: pulumi.Input<number>;
}

/**
 * Waits until services run what was last deployed: every task is of the current version, running, and healthy where the
 * service has a health check (else it has to live for 3 s).
 *
 * @throws {Error} when an update was paused or rolled back, when three tasks fail, or when time is up; it names service,
 * task, node and state, and shows the last 15 lines of the task that failed last.
 */
export class Rollout extends SwarmResource {
  /** How many tasks run. */
  declare readonly tasks: pulumi.Output<number>;

  constructor(name: string, args: RolloutArgs, opts?: pulumi.CustomResourceOptions) {
    super("Rollout", name, { ...args }, ["tasks"], opts);
  }
}

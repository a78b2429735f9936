import type { EngineLog } from "./engine-log";
import type { Properties } from "./values";

/** One fault in a resource's inputs. */
export interface CheckFailure {
  /** Path of the property, as the program wrote it. */
  readonly property: string;
  /** What is allowed, what was got. */
  readonly reason: string;
}

export interface Diff {
  /** Properties that changed. Empty: nothing to do. */
  readonly changed: readonly string[];
  /** Those of them that cannot be changed in place. */
  readonly replaces: readonly string[];
  /** The old one must go first, because both cannot exist at once. */
  readonly deleteBeforeReplace?: boolean;
}

/** What waits go by. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Rejects when `signal` is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** What an operation may use besides its inputs. */
export interface Context {
  /** The resource's name in the program, for messages. */
  readonly name: string;
  /** Which resource it is. */
  readonly urn: string;
  readonly log: EngineLog;
  /** Aborted when the engine cancels (Ctrl-C): a wait then ends at once. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * Thrown by `create` and `update` when the resource exists and is not well: the engine keeps it in state with the error,
 * and updates it at the next `pulumi up`, changed inputs or not.
 */
export class Unwell extends Error {
  override readonly name = "Unwell";

  /** @param made the resource as it is now. */
  constructor(
    message: string,
    readonly made: { readonly id: string; readonly state: Properties },
  ) {
    super(message);
  }
}

/**
 * One resource type. Inputs and state arrive as plain values without secret marks: the engine keeps those, and an output
 * that is secret in itself is wrapped in `secret()`. Inputs may be unknown in `check`, `diff` and `preview` only.
 */
export interface Resource {
  /** All faults at once. */
  check(inputs: Properties): CheckFailure[];
  /** `before` and `after` are inputs. */
  diff(before: Properties, after: Properties): Diff;
  /** Outputs as far as they can be told before anything happens; `state` is absent for a create. */
  preview(inputs: Properties, state?: Properties): Properties;
  /** Idempotent: after a kill at any point, a second call with the same inputs finishes the work. */
  create(inputs: Properties, context: Context): Promise<{ id: string; state: Properties }>;
  /** Absent: the state is taken as true. `undefined`: the resource is gone. */
  read?(
    id: string,
    state: Properties,
    inputs: Properties,
    context: Context,
  ): Promise<{ state: Properties; inputs: Properties } | undefined>;
  /**
   * A resource that exists and is in no state yet, by the ID that an operator gives. Absent: there is nothing to import it from.
   *
   * @returns its own ID, which may be another one.
   */
  import?(
    id: string,
    context: Context,
  ): Promise<{ id: string; state: Properties; inputs: Properties }>;
  update(
    id: string,
    state: Properties,
    before: Properties,
    after: Properties,
    context: Context,
  ): Promise<Properties>;
  /** A resource that is already gone is no error. */
  delete(id: string, state: Properties, inputs: Properties, context: Context): Promise<void>;
}

import type { CheckFailure } from "./check";
import type { Fields } from "./schema";
import type { Values } from "./values";

/** A resource as it exists: `state` holds what was read; members left out keep what the program said. */
export interface Existing {
  readonly id: string;
  readonly state: Values;
}

/** What {@link ResourceType.create} may use besides the client. */
export interface Creation {
  /**
   * Says that the resource exists from now on. Should a later step fail, the engine still records it under
   * this ID, so that nothing is orphaned.
   */
  exists(id: string, state?: Values): void;
  /** Takes it back: what was made has been removed again. */
  gone(): void;
}

export interface Update {
  /** State as it was stored. */
  readonly olds: Values;
  /** The program's inputs; a property under `ignoreChanges` has its stored value. */
  readonly news: Values;
  /** `news`, and for computed properties that the program leaves open what is stored. */
  readonly planned: Values;
  /** Whether a top-level property differs. */
  readonly changed: (property: string) => boolean;
}

/** One resource type: its properties and how they map to the remote API. */
export interface ResourceType<Client> {
  readonly inputs: Fields;
  /** Names of outputs that are not inputs: unknown in a preview of the creation. */
  readonly outputs: readonly string[];
  /** Those of `outputs` that are encrypted in state and masked in output. */
  readonly secretOutputs?: readonly string[];
  /** Without a name it gets one derived from the resource's own. */
  readonly autoname?: boolean;
  /** Rules on several properties at once. `olds` is empty for a new resource. */
  validate?(inputs: Values, olds: Values): readonly CheckFailure[];
  /** Refuses a change. @throws {Error} shown in preview and update */
  refuse?(olds: Values, news: Values): void;
  create(client: Client, inputs: Values, creation: Creation): Promise<Existing>;
  /** `undefined` when it is gone. `known` is what is stored of it: empty for an import. */
  read(client: Client, id: string, known: Values): Promise<Existing | undefined>;
  /** Left out where every change replaces. */
  update?(client: Client, id: string, update: Update): Promise<Existing>;
  /** Succeeds when it is already gone. */
  delete(client: Client, id: string, state: Values): Promise<void>;
}

export type InvokeFunction<Client> = (client: Client, args: Values) => Promise<Values>;

export interface ProviderType<Client> {
  readonly name: string;
  readonly version: string;
  /** Tells what is wrong with the provider's own settings. */
  checkConfig?(config: Values): readonly CheckFailure[];
  /** Makes the client. Must not connect: a preview has to work without. */
  configure(config: Values, signal: AbortSignal): Client;
  /** By type token, e.g. `digitalocean:index/vpc:Vpc`. */
  readonly resources: Readonly<Record<string, ResourceType<Client>>>;
  /** By function token, e.g. `digitalocean:index/getSizes:getSizes`. */
  readonly functions: Readonly<Record<string, InvokeFunction<Client>>>;
}

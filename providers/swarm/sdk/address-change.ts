import type * as pulumi from "@pulumi/pulumi";
import { SwarmResource } from "./resource";

export interface AddressChangeArgs {
  /** IPv4 address that names lead to. */
  readonly address: pulumi.Input<string>;
  /** How long a resolver may keep it, 1 to 86400. */
  readonly ttlSeconds: pulumi.Input<number>;
}

/**
 * Holds an `up` while resolvers may still know the address of before.
 *
 * Let it depend on the records. An update that changes `address` waits for the longer of both TTLs, and since the engine
 * deletes nothing before all updates are done, what served the old address goes on serving it meanwhile. Interrupted, it waits
 * again from the start. A create waits for nothing.
 */
export class AddressChange extends SwarmResource {
  constructor(name: string, args: AddressChangeArgs, opts?: pulumi.CustomResourceOptions) {
    super("AddressChange", name, { ...args }, [], opts);
  }
}

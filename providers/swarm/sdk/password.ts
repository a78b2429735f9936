import type * as pulumi from "@pulumi/pulumi";
import { secretly, SwarmResource } from "./resource";

export interface PasswordArgs {
  /** Characters, 16 to 256. Changing this replaces the password. @default 32 */
  readonly length?: pulumi.Input<number>;
}

/** A random password that is made once and kept, encrypted, in state. */
export class Password extends SwarmResource {
  /** Letters and digits only, so that it fits into a URL or a file as it is. Secret. */
  declare readonly value: pulumi.Output<string>;

  constructor(name: string, args: PasswordArgs, opts?: pulumi.CustomResourceOptions) {
    super("Password", name, { ...args }, ["value"], secretly(opts, "value"));
  }
}

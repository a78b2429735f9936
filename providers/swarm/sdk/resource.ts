import * as pulumi from "@pulumi/pulumi";

/** A resource that Archipelago's own provider makes. */
export abstract class SwarmResource extends pulumi.CustomResource {
  constructor(
    type: string,
    name: string,
    inputs: pulumi.Inputs,
    outputs: readonly string[],
    opts?: pulumi.CustomResourceOptions,
  ) {
    const declared = Object.fromEntries(outputs.map((output) => [output, undefined]));
    super(`swarm:index:${type}`, name, { ...declared, ...inputs }, opts);
  }
}

/** Options under which an output is a secret. */
export function secretly(opts: pulumi.CustomResourceOptions | undefined, output: string) {
  return pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: [output] });
}

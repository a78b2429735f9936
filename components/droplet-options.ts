import type * as pulumi from "@pulumi/pulumi";

/** What becomes of a running Droplet when something is changed that it was born with. */
export interface DropletChanges {
  /** Leave the Droplet's image and size as they are for now, whatever they should be. @default false */
  readonly held?: boolean;
  /** What other user data means for a running Droplet: nothing, or a new Droplet. @default "keep" */
  readonly userData?: "keep" | "replace";
}

/** @param after what must be there before: born before its Firewall, a Droplet would be open for a while. */
export function dropletOptions(
  { held = false, userData = "keep" }: DropletChanges,
  after: readonly pulumi.Resource[],
) {
  return {
    // Given a name, the provider would delete first.
    deleteBeforeReplace: false,
    // Read at birth only; a change would replace the Droplet. `swarm.Node` and `swarm.Bastion` keep the keys of a running one,
    // and a new one gets the new user data.
    ignoreChanges: [
      "sshKeys",
      ...(userData === "replace" ? [] : ["userData"]),
      "monitoring",
      // Its turn to be replaced has not come.
      ...(held ? ["image", "size"] : []),
    ],
    dependsOn: [...after],
  } satisfies pulumi.CustomResourceOptions;
}

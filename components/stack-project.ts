import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

export interface StackProjectArgs {
  /** Name in the account. */
  readonly name: string;
  readonly stack: string;
  /** DigitalOcean URNs (`do:droplet:…`) of what the Project shows. */
  readonly urns: readonly pulumi.Input<string>[];
}

/**
 * A stack's own page in DigitalOcean's control panel: a Project with the stack's Droplets, Volumes,
 * addresses and zones.
 *
 * ```ts
 * new StackProject("project", { name: "archipelago-prod", stack: "prod", urns: [droplet.dropletUrn] });
 * ```
 *
 * Costs nothing. Other members of the Project are left alone.
 */
export class StackProject extends pulumi.ComponentResource {
  constructor(name: string, args: StackProjectArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:project:StackProject", name, {}, opts);
    const project = new digitalocean.Project(
      name,
      {
        name: args.name,
        description: `Archipelago stack ${args.stack}`,
        purpose: "Web Application",
      },
      { parent: this },
    );
    // `Project.resources` would read every member and fight with whoever adds one by hand.
    new digitalocean.ProjectResources(
      name,
      { project: project.id, resources: [...args.urns] },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

/** How Docker logs in to a registry. */
export interface RegistryLogin {
  /** Host, and port where it is not 443. */
  readonly address: pulumi.Input<string>;
  readonly username: pulumi.Input<string>;
  /** Secret. */
  readonly password: pulumi.Input<string>;
}

export interface RegistryArgs {
  /** Unique in the world. Changing this makes another registry, and the images are left behind. */
  readonly name: string;
  /** Of the account. A change concerns every registry in it. */
  readonly tier: "starter" | "basic" | "professional";
  /** DigitalOcean region slug. Not every region holds registries; images of the others travel further. */
  readonly region: string;
}

/** Regions that hold registries. https://docs.digitalocean.com/products/container-registry/details/availability/ */
const REGIONS: readonly string[] = ["nyc3", "sfo2", "sfo3", "ams3", "sgp1", "fra1", "blr1", "syd1"];

/**
 * A DigitalOcean Container Registry, and a login to it that may push.
 *
 * ```ts
 * new Registry("registry", { name: "archipelago-prod", tier: "basic", region: "fra1" });
 * ```
 *
 * Costs the account's subscription: $5 a month for `basic`. Old images stay until garbage is collected.
 */
export class Registry extends pulumi.ComponentResource {
  /** Where images are pushed: `registry.digitalocean.com/archipelago-prod`. */
  readonly repository: pulumi.Output<string>;
  readonly login: RegistryLogin;

  constructor(name: string, args: RegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:registry:Registry", name, {}, opts);
    const registry = new digitalocean.ContainerRegistry(
      name,
      {
        name: args.name,
        subscriptionTierSlug: args.tier,
        ...(REGIONS.includes(args.region) && { region: args.region }),
      },
      { parent: this },
    );
    const credentials = new digitalocean.ContainerRegistryDockerCredentials(
      name,
      { registryName: registry.name, write: true },
      { parent: this, deletedWith: registry },
    );
    this.repository = registry.endpoint;
    this.login = {
      address: registry.serverUrl,
      ...loginOf(credentials.dockerCredentials),
    };
    this.registerOutputs({});
  }
}

/** Reads Docker's `config.json`: `{ auths: { <server>: { auth: base64 of "user:password" } } }`. */
function loginOf(dockerConfig: pulumi.Output<string>) {
  const parts = pulumi.secret(dockerConfig).apply((json) => {
    const { auths } = JSON.parse(json) as { auths: Record<string, { auth: string }> };
    const [entry] = Object.values(auths);
    const text = Buffer.from(entry?.auth ?? "", "base64").toString();
    const colon = text.indexOf(":");
    return { username: text.slice(0, colon), password: text.slice(colon + 1) };
  });
  return { username: parts.username, password: parts.password };
}

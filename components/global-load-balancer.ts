import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { LoadBalancer } from "./load-balancer";

/** Percent of a site's nodes that fail before the next site takes over. */
const FAILOVER_PERCENT = 50;

export interface GlobalLoadBalancerArgs {
  /** Name in the account. */
  readonly name: string;
  /** Sites in the order in which they get requests: the next one when the one before fails. */
  readonly sites: readonly { readonly region: string; readonly front: LoadBalancer }[];
  /** Names to serve, with the certificate of the first site's Load Balancer. @default any name, plain HTTP */
  readonly names: readonly string[];
  /** Refuse to delete it, since its address would be lost. */
  readonly protect: boolean;
}

/**
 * The way in to several sites: a global Load Balancer before their own ones.
 *
 * ```ts
 * new GlobalLoadBalancer("global", { name: "archipelago-prod-global", names: [], protect: true,
 *   sites: [{ region: "fra1", front }, { region: "ams3", front: second }] });
 * ```
 *
 * Costs $15 a month. It keeps no copies of answers, and makes no DNS records.
 */
export class GlobalLoadBalancer extends pulumi.ComponentResource {
  /** Public IPv4 address. */
  readonly address: pulumi.Output<string>;
  readonly balancer: digitalocean.LoadBalancer;

  constructor(name: string, args: GlobalLoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:ingress:GlobalLoadBalancer", name, {}, opts);
    const certificate = args.sites[0]?.front.certificateName;
    this.balancer = new digitalocean.LoadBalancer(
      name,
      {
        name: args.name,
        type: "GLOBAL",
        targetLoadBalancerIds: args.sites.map(({ front }) => front.balancer.id),
        glbSettings: {
          // Sites that end TLS redirect plain HTTP.
          targetProtocol: certificate === undefined ? "http" : "https",
          targetPort: certificate === undefined ? 80 : 443,
          cdn: { isEnabled: false },
          regionPriorities: Object.fromEntries(
            args.sites.map(({ region }, index) => [region, index + 1]),
          ),
          failoverThreshold: FAILOVER_PERCENT,
        },
        ...(certificate && {
          domains: args.names.map((each) => ({
            name: each,
            isManaged: false,
            certificateName: certificate,
          })),
        }),
      },
      { parent: this, protect: args.protect },
    );
    this.address = this.balancer.ip;
    this.registerOutputs({ address: this.address });
  }
}

import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

/** How a node shows the Load Balancer that it takes requests: see `Edge`. */
export const HEALTH_PATH = "/archipelago/health";

const CHECK = { intervalSeconds: 3, unhealthyThreshold: 2 } as const;

/** How long a node that turns unhealthy may still get requests: its failed checks, and one on its way. */
export const NOTICE_SECONDS = CHECK.intervalSeconds * CHECK.unhealthyThreshold + 2;

export interface LoadBalancerArgs {
  /** Name in the account. */
  readonly name: string;
  /** DigitalOcean region slug. Changing this replaces it: another address. */
  readonly region: string;
  /** VPC UUID. Changing this replaces it. */
  readonly vpcId: pulumi.Input<string>;
  /** Tag of the Droplets that take requests. One that leaves stays a target until it has left. */
  readonly tag: pulumi.Input<string>;
}

/**
 * The way in to several nodes: a DigitalOcean Load Balancer that asks each node every 3 s whether it takes
 * requests, and the Firewall rule that lets only it in.
 *
 * ```ts
 * new LoadBalancer("front", { name: "archipelago-prod", region: "fra1", vpcId, tag: "archipelago-prod" });
 * ```
 *
 * Costs $12 a month. HTTP only.
 */
export class LoadBalancer extends pulumi.ComponentResource {
  /** Public IPv4 address. */
  readonly address: pulumi.Output<string>;
  readonly balancer: digitalocean.LoadBalancer;
  readonly firewall: digitalocean.Firewall;

  constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:ingress:LoadBalancer", name, {}, opts);
    const child = { parent: this };
    this.balancer = new digitalocean.LoadBalancer(
      name,
      {
        name: args.name,
        region: args.region,
        vpcUuid: args.vpcId,
        dropletTag: args.tag,
        forwardingRules: [
          { entryProtocol: "http", entryPort: 80, targetProtocol: "http", targetPort: 80 },
        ],
        healthcheck: {
          protocol: "http",
          port: 80,
          path: HEALTH_PATH,
          checkIntervalSeconds: CHECK.intervalSeconds,
          responseTimeoutSeconds: 3,
          unhealthyThreshold: CHECK.unhealthyThreshold,
          healthyThreshold: 2,
        },
      },
      child,
    );
    this.firewall = new digitalocean.Firewall(
      name,
      {
        name: `${args.name}-front`,
        tags: [args.tag],
        inboundRules: [
          { protocol: "tcp", portRange: "80", sourceLoadBalancerUids: [this.balancer.id] },
        ],
      },
      child,
    );
    this.address = this.balancer.ip;
    this.registerOutputs({ address: this.address });
  }
}

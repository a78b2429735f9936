import { createHash } from "node:crypto";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { HEALTH_PATH } from "./edge/settings";

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
  /** How many machines it is made of, 1 to 100. */
  readonly nodes: number;
  /** The client gets the same Droplet for as long. @default any Droplet */
  readonly stickyCookie?: { readonly name: string; readonly ttlSeconds: number } | undefined;
  /** How long a connection may be idle, 30 to 600. */
  readonly idleTimeoutSeconds: number;
  /** Names to serve over HTTPS, with the zones that they are in. @default plain HTTP */
  readonly https?:
    { readonly names: readonly string[]; readonly after: readonly pulumi.Resource[] } | undefined;
  /** Name of a certificate that there is already, instead of one for `https`. @default none */
  readonly certificateName?: pulumi.Input<string> | undefined;
  /** Refuse to delete it, since its address would be lost. */
  readonly protect: boolean;
}

/**
 * The way in to several nodes: a DigitalOcean Load Balancer that asks each node every 3 s whether it takes
 * requests, and the Firewall rule that lets only it in.
 *
 * ```ts
 * new LoadBalancer("front", { name: "archipelago-prod", region: "fra1", vpcId, tag: "archipelago-prod-ingress",
 *   nodes: 1, idleTimeoutSeconds: 60, protect: true });
 * ```
 *
 * Costs $12 a month for each of its nodes. It ends TLS: nodes get plain HTTP, inside the VPC. It never sends a request a
 * second time.
 */
export class LoadBalancer extends pulumi.ComponentResource {
  /** Public IPv4 address. */
  readonly address: pulumi.Output<string>;
  readonly balancer: digitalocean.LoadBalancer;
  readonly firewall: digitalocean.Firewall;
  /** Of the certificate that it serves HTTPS with. */
  readonly certificateName: pulumi.Input<string> | undefined;

  constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:ingress:LoadBalancer", name, {}, opts);
    const child = { parent: this };
    this.certificateName =
      args.certificateName ??
      (args.https && this.makeCertificate(name, args.name, args.https).name);
    const hasCertificate = this.certificateName !== undefined;
    this.balancer = new digitalocean.LoadBalancer(
      name,
      {
        name: args.name,
        region: args.region,
        vpcUuid: args.vpcId,
        dropletTag: args.tag,
        sizeUnit: args.nodes,
        forwardingRules: forwardingRules(this.certificateName),
        redirectHttpToHttps: hasCertificate,
        // The records are this stack's: DigitalOcean would add its own for the certificate's names.
        ...(hasCertificate && { disableLetsEncryptDnsRecords: true }),
        httpIdleTimeoutSeconds: args.idleTimeoutSeconds,
        stickySessions: stickySessions(args.stickyCookie),
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
      { ...child, protect: args.protect },
    );
    this.firewall = new digitalocean.Firewall(
      name,
      {
        name: `${args.name}-front`,
        tags: [args.tag],
        // Unknown as a whole until it is made: a rule with an unknown source breaks the preview (pulumi-digitalocean#447).
        inboundRules: this.balancer.id.apply((id) => [
          { protocol: "tcp", portRange: "80", sourceLoadBalancerUids: [id] },
        ]),
      },
      child,
    );
    this.address = this.balancer.ip;
    this.registerOutputs({ address: this.address });
  }

  /** DigitalOcean gets it from Let's Encrypt, proves the names by its own DNS, and renews it. */
  private makeCertificate(
    name: string,
    accountName: string,
    { names, after }: NonNullable<LoadBalancerArgs["https"]>,
  ): digitalocean.Certificate {
    const digest = createHash("sha256")
      .update([...names].sort().join(" "))
      .digest("hex");
    return new digitalocean.Certificate(
      name,
      {
        // Other names are another certificate, which is there before the old one goes.
        name: `${accountName}-${digest.slice(0, 8)}`,
        type: "lets_encrypt",
        domains: [...names],
      },
      { parent: this, deleteBeforeReplace: false, dependsOn: [...after] },
    );
  }
}

function forwardingRules(
  certificateName: pulumi.Input<string> | undefined,
): digitalocean.types.input.LoadBalancerForwardingRule[] {
  const target = { targetProtocol: "http", targetPort: 80 };
  const http = { entryProtocol: "http", entryPort: 80, ...target };
  if (certificateName === undefined) return [http];
  return [
    http,
    // Its ID changes with each renewal.
    { entryProtocol: "https", entryPort: 443, certificateName, ...target },
  ];
}

/** Said either way: what is left out stays as it was. */
function stickySessions(cookie: LoadBalancerArgs["stickyCookie"]) {
  return cookie === undefined
    ? { type: "none" }
    : { type: "cookies", cookieName: cookie.name, cookieTtlSeconds: cookie.ttlSeconds };
}

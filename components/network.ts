import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

const EVERYWHERE = ["0.0.0.0/0", "::/0"];

export interface NetworkArgs {
  /** Name of VPC and Firewall in the account. */
  readonly name: string;
  /** DigitalOcean region slug. Changing this replaces the VPC. */
  readonly region: string;
  /** IPv4 CIDR of the VPC. Changing this replaces it. */
  readonly ipRange: string;
  /** Tag that the Firewall selects Droplets by. */
  readonly tag: string;
  /** Who may reach SSH: CIDRs, or Droplets with the tag of one role. */
  readonly ssh: { readonly from: readonly string[] } | { readonly by: string };
  /** Further tags that Firewalls and Load Balancers select Droplets by: what each says of a Droplet, and its name. */
  readonly roleTags: Readonly<Record<string, string>>;
  /**
   * Whether HTTP and HTTPS come from anywhere, else from nowhere: a `LoadBalancer` then lets itself in. By a Firewall of its own,
   * so that what is closed for good is closed last.
   */
  readonly web: boolean;
  /** Size of a NAT gateway, the way out of Droplets without a public address. @default there is none */
  readonly natGatewaySize?: number | undefined;
}

/**
 * Where Droplets live: a VPC, and a Firewall for every Droplet with the tag, closed by default. In comes
 * SSH as `ssh` says, swarm's own traffic from Droplets with the tag, and as asked HTTP and HTTPS from anywhere. Out
 * goes everything.
 *
 * ```ts
 * new Network("network", { name: "archipelago-prod", region: "fra1", ipRange: "10.64.0.0/20",
 *   tag: "archipelago-prod", roleTags: {}, ssh: { from: ["203.0.113.7/32"] }, web: true });
 * ```
 *
 * Costs nothing, but for a NAT gateway.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** For Droplets: they get it at birth and are never without Firewall. */
  readonly tag: pulumi.Output<string>;
  /** The same for each of `roleTags`. */
  readonly roleTags: Readonly<Record<string, pulumi.Output<string>>>;
  readonly firewall: digitalocean.Firewall;
  readonly natGateway: digitalocean.VpcNatGateway | undefined;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:network:Network", name, {}, opts);
    const child = { parent: this };

    const vpc = new digitalocean.Vpc(
      name,
      { name: args.name, region: args.region, ipRange: args.ipRange },
      // A VPC answers 403 and 409 while its last members are still going away.
      { ...child, deleteBeforeReplace: false, customTimeouts: { delete: "15m" } },
    );
    const tag = new digitalocean.Tag(name, { name: args.tag }, child);
    this.roleTags = Object.fromEntries(
      Object.entries(args.roleTags).map(([role, tagName]) => [
        role,
        new digitalocean.Tag(`${name}-${role}`, { name: tagName }, child).name,
      ]),
    );
    const web = args.web
      ? new digitalocean.Firewall(
          `${name}-web`,
          { name: `${args.name}-web`, tags: [tag.name], inboundRules: webRules() },
          child,
        )
      : undefined;
    const firewall = new digitalocean.Firewall(
      name,
      {
        name: args.name,
        tags: [tag.name],
        inboundRules: [
          ...sshRules(
            "by" in args.ssh
              ? { sourceTags: [this.tagOf(args.ssh.by)] }
              : { sourceAddresses: [...args.ssh.from] },
          ),
          // A node that leaves needs these to the end, and with one node nobody else has the tag.
          ...swarmRules(tag.name),
        ],
        outboundRules: outboundRules(),
      },
      // A port that is open stays so.
      { ...child, dependsOn: web ? [web] : [] },
    );

    this.natGateway =
      args.natGatewaySize === undefined
        ? undefined
        : new digitalocean.VpcNatGateway(
            name,
            {
              name: args.name,
              type: "PUBLIC",
              region: args.region,
              size: args.natGatewaySize,
              vpcs: [{ vpcUuid: vpc.id, defaultGateway: true }],
            },
            child,
          );

    this.vpcId = vpc.id;
    this.tag = tag.name;
    this.firewall = firewall;
    this.registerOutputs({ vpcId: this.vpcId, tag: this.tag });
  }

  /** What must exist before a Droplet does: born before its Firewall it would be open, and before its way out, cut off. */
  get ready(): pulumi.Resource[] {
    return [this.firewall, ...(this.natGateway ? [this.natGateway] : [])];
  }

  /** @throws {Error} when `roleTags` has none. */
  tagOf(role: string): pulumi.Output<string> {
    const tag = this.roleTags[role];
    if (tag === undefined) throw new Error(`the network has a tag for each ${role}`);
    return tag;
  }
}

type InboundRule = digitalocean.types.input.FirewallInboundRule;

export const sshRules = (
  from: Pick<InboundRule, "sourceAddresses" | "sourceTags">,
): InboundRule[] => [{ protocol: "tcp", portRange: "22", ...from }];

const webRules = (): InboundRule[] => [
  { protocol: "tcp", portRange: "80", sourceAddresses: EVERYWHERE },
  { protocol: "tcp", portRange: "443", sourceAddresses: EVERYWHERE },
];

/** https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts */
const swarmRules = (tag: pulumi.Input<string>): InboundRule[] =>
  [
    { protocol: "tcp", portRange: "2377" },
    { protocol: "tcp", portRange: "7946" },
    { protocol: "udp", portRange: "7946" },
    { protocol: "udp", portRange: "4789" },
  ].map((rule) => ({ ...rule, sourceTags: [tag] }));

export function outboundRules(): digitalocean.types.input.FirewallOutboundRule[] {
  return [
    { protocol: "tcp", portRange: "1-65535", destinationAddresses: EVERYWHERE },
    { protocol: "udp", portRange: "1-65535", destinationAddresses: EVERYWHERE },
    { protocol: "icmp", destinationAddresses: EVERYWHERE },
  ];
}

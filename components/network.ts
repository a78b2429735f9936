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
  /** CIDRs that may reach SSH. */
  readonly sshFrom: readonly string[];
  /** Further tags that Firewalls and Load Balancers select Droplets by: what each says of a Droplet, and its name. */
  readonly roleTags: Readonly<Record<string, string>>;
  /** Whether Droplets with the tag reach each other on swarm's ports. */
  readonly swarm: boolean;
  /** Whether HTTP and HTTPS come from anywhere, else from nowhere: a `LoadBalancer` then lets itself in. */
  readonly web: boolean;
}

/**
 * Where Droplets live: a VPC, and a Firewall for every Droplet with the tag, closed by default. In comes
 * SSH from `sshFrom`, and as asked HTTP and HTTPS from anywhere, and swarm's own traffic from Droplets with the tag. Out
 * goes everything.
 *
 * ```ts
 * new Network("network", { name: "archipelago-prod", region: "fra1", ipRange: "10.64.0.0/20",
 *   tag: "archipelago-prod", roleTags: {}, sshFrom: ["203.0.113.7/32"], swarm: false, web: true });
 * ```
 *
 * Costs nothing.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** For Droplets: they get it at birth and are never without Firewall. */
  readonly tag: pulumi.Output<string>;
  /** The same for each of `roleTags`. */
  readonly roleTags: Readonly<Record<string, pulumi.Output<string>>>;
  readonly firewall: digitalocean.Firewall;

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
    const firewall = new digitalocean.Firewall(
      name,
      {
        name: args.name,
        tags: [tag.name],
        inboundRules: [
          ...sshRules(args.sshFrom),
          ...(args.web ? webRules() : []),
          ...(args.swarm ? swarmRules(tag.name) : []),
        ],
        outboundRules: outboundRules(),
      },
      child,
    );

    this.vpcId = vpc.id;
    this.tag = tag.name;
    this.firewall = firewall;
    this.registerOutputs({ vpcId: this.vpcId, tag: this.tag });
  }
}

type InboundRule = digitalocean.types.input.FirewallInboundRule;

const sshRules = (from: readonly string[]): InboundRule[] => [
  { protocol: "tcp", portRange: "22", sourceAddresses: [...from] },
];

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

function outboundRules(): digitalocean.types.input.FirewallOutboundRule[] {
  return [
    { protocol: "tcp", portRange: "1-65535", destinationAddresses: EVERYWHERE },
    { protocol: "udp", portRange: "1-65535", destinationAddresses: EVERYWHERE },
    { protocol: "icmp", destinationAddresses: EVERYWHERE },
  ];
}

import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

/** Seconds. Short, so that a move to another address is seen soon. */
const TTL_SECONDS = 300;

export interface DnsArgs {
  /** Domain such as `example.com`. Changing this replaces zone and records. */
  readonly zone: string;
  /** Make the zone; else it must be in the account. */
  readonly createZone: boolean;
  /** Full host names in the zone that lead to `address`. */
  readonly names: readonly string[];
  readonly address: pulumi.Input<string>;
  /** Refuse to delete the zone, which may hold others' records too. */
  readonly protect: boolean;
}

/**
 * The names of the app: A records in a DNS zone of the account.
 *
 * ```ts
 * new Dns("dns", { zone: "example.com", createZone: true, names: ["example.com"], address, protect: true });
 * ```
 *
 * Costs nothing. The registrar must name ns1 to ns3.digitalocean.com as the domain's name servers.
 */
export class Dns extends pulumi.ComponentResource {
  /** DigitalOcean URN of a new zone. */
  readonly domainUrn: pulumi.Output<string> | undefined;
  readonly records: digitalocean.DnsRecord[];

  constructor(name: string, args: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:ingress:Dns", name, {}, opts);

    let domain: digitalocean.Domain | undefined;
    if (args.createZone) {
      domain = new digitalocean.Domain(
        name,
        { name: args.zone },
        { parent: this, protect: args.protect },
      );
    }
    this.domainUrn = domain?.domainUrn;
    this.records = args.names.map(
      (host) =>
        new digitalocean.DnsRecord(
          `${name}-${host}`,
          {
            domain: domain?.id ?? args.zone,
            type: "A",
            name: recordName(host, args.zone),
            value: args.address,
            ttl: TTL_SECONDS,
          },
          { parent: this },
        ),
    );
    this.registerOutputs({});
  }
}

/** @returns a host's name within its zone: `@` for the zone itself. */
export function recordName(host: string, zone: string): string {
  return host === zone ? "@" : host.slice(0, -(zone.length + 1));
}

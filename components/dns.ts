import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import * as swarm from "../providers/swarm/sdk";

export interface DnsArgs {
  /** Domain such as `example.com`. Changing this replaces zone and records. */
  readonly zone: string;
  /** Make the zone; else it must be in the account. */
  readonly createZone: boolean;
  /** How long resolvers may keep a record, 30 to 86400. Short, so that a move to another address is seen soon. */
  readonly ttlSeconds: number;
  /** Refuse to delete the zone, which may hold others' records too. */
  readonly protect: boolean;
}

/**
 * The names of the app: A records in a DNS zone of the account.
 *
 * ```ts
 * const dns = new Dns("dns", { zone: "example.com", createZone: true, ttlSeconds: 300, protect: true });
 * dns.lead(["example.com", "www.example.com"], address);
 * ```
 *
 * Costs nothing. The registrar must name ns1 to ns3.digitalocean.com as the domain's name servers.
 */
export class Dns extends pulumi.ComponentResource {
  /** A new zone. */
  readonly domain: digitalocean.Domain | undefined;

  constructor(
    private readonly name: string,
    private readonly args: DnsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("archipelago:ingress:Dns", name, {}, opts);
    this.domain = args.createZone
      ? new digitalocean.Domain(name, { name: args.zone }, { parent: this, protect: args.protect })
      : undefined;
    this.registerOutputs({});
  }

  /**
   * Makes a record for each name, and holds an `up` that changes their address until resolvers have forgotten the old one.
   * Apart from the zone, since an address may need it: that of a Load Balancer whose certificate is proved there.
   *
   * @param hosts full names in the zone.
   * @param after what must be well before the names lead to the address.
   */
  lead(
    hosts: readonly string[],
    address: pulumi.Input<string>,
    after: readonly pulumi.Resource[] = [],
  ): void {
    const { zone, ttlSeconds } = this.args;
    const records = hosts.map(
      (host) =>
        new digitalocean.DnsRecord(
          `${this.name}-${host}`,
          {
            domain: this.domain?.id ?? zone,
            type: "A",
            name: recordName(host, zone),
            value: address,
            ttl: ttlSeconds,
          },
          { parent: this, dependsOn: [...after] },
        ),
    );
    if (records.length === 0) return;
    new swarm.AddressChange(
      this.name,
      { address, ttlSeconds },
      { parent: this, dependsOn: records },
    );
  }
}

/** @returns a host's name within its zone: `@` for the zone itself. */
export function recordName(host: string, zone: string): string {
  return host === zone ? "@" : host.slice(0, -(zone.length + 1));
}

import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

export interface ManagedDatabaseArgs {
  /** Name of the cluster in the account. Changing this makes another database. */
  readonly name: string;
  readonly engine: "pg" | "valkey";
  /** Major version. A higher one upgrades in place. */
  readonly version: string;
  /** Database size slug, e.g. `db-s-1vcpu-2gb`. A change fails over once. */
  readonly size: string;
  /** The primary and its standbys, 1 to 3. */
  readonly nodes: number;
  /** DigitalOcean region slug. */
  readonly region: string;
  /** VPC UUID. */
  readonly vpcId: pulumi.Input<string>;
  /** Tags of the Droplets that may reach it; nobody else may. */
  readonly trustedTags: readonly pulumi.Input<string>[];
  /** Refuse to delete it. */
  readonly protect: boolean;
}

/**
 * A DigitalOcean Database Cluster that only the stack's Droplets reach, by the VPC.
 *
 * ```ts
 * new ManagedDatabase("postgres", { name: "prod-postgres", engine: "pg", version: "15", size: "db-s-1vcpu-2gb",
 *   nodes: 2, region: "fra1", vpcId, trustedTags: ["archipelago-prod"], protect: true });
 * ```
 *
 * Costs about $15 a month for each GB of the primary, and $10 for each GB of a standby. Users and databases are the
 * caller's to add.
 */
export class ManagedDatabase extends pulumi.ComponentResource {
  readonly cluster: digitalocean.DatabaseCluster;
  readonly firewall: digitalocean.DatabaseFirewall;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: pulumi.Output<string>;

  constructor(name: string, args: ManagedDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:database:ManagedDatabase", name, {}, opts);
    this.cluster = new digitalocean.DatabaseCluster(
      name,
      {
        name: args.name,
        engine: args.engine,
        version: args.version,
        size: args.size,
        nodeCount: args.nodes,
        region: args.region,
        privateNetworkUuid: args.vpcId,
      },
      {
        parent: this,
        protect: args.protect,
        // Each would make an empty cluster in place of the one with the data. DigitalOcean moves clusters between
        // projects by itself.
        ignoreChanges: ["name", "engine", "privateNetworkUuid", "projectId"],
        customTimeouts: { create: "45m" },
      },
    );
    this.firewall = new digitalocean.DatabaseFirewall(
      name,
      { clusterId: this.cluster.id, rules: trustedSources(args.trustedTags) },
      // Deleted while the cluster stays, it would let everybody in.
      { parent: this, deletedWith: this.cluster },
    );
    this.ca = digitalocean.getDatabaseCaOutput(
      { clusterId: this.cluster.id },
      { parent: this },
    ).certificate;
    this.registerOutputs({});
  }
}

/** Droplets by their tags. */
export const trustedSources = (tags: readonly pulumi.Input<string>[]) =>
  tags.map((value) => ({ type: "tag", value }));

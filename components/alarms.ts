import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

export interface AlarmsArgs {
  /** Begins the name of each alarm. */
  readonly stack: string;
  /** Verified addresses of the team. */
  readonly emails: readonly string[];
  /** Tag of the Droplets to watch. */
  readonly tag: pulumi.Input<string>;
  readonly balancerId: pulumi.Input<string>;
  readonly databaseId?: pulumi.Input<string> | undefined;
  /** What is asked from outside, from several regions of the world. @default nothing */
  readonly url?: pulumi.Input<string>;
}

interface Alarm {
  readonly name: string;
  readonly says: string;
  readonly type: string;
  readonly above: number;
}

/** Percent of what there is, over ten minutes. */
const DROPLET: readonly Alarm[] = [
  { name: "cpu", says: "a node's CPU is taken", type: "v1/insights/droplet/cpu", above: 90 },
  {
    name: "memory",
    says: "a node's memory is taken",
    type: "v1/insights/droplet/memory_utilization_percent",
    above: 90,
  },
  {
    name: "disk",
    says: "a node's disk fills up",
    type: "v1/insights/droplet/disk_utilization_percent",
    above: 85,
  },
];

const BALANCER: readonly Alarm[] = [
  {
    name: "balancer-errors",
    says: "more of the Load Balancer's answers are errors",
    type: "v1/insights/lbaas/increase_in_http_error_rate_percentage_5xx",
    above: 5,
  },
  {
    name: "balancer-connections",
    says: "the Load Balancer's connections are taken: it needs more nodes",
    type: "v1/insights/lbaas/connection_utilization_percent",
    above: 80,
  },
];

const DATABASE: readonly Alarm[] = [
  {
    name: "database-cpu",
    says: "the database's CPU is taken",
    type: "v1/dbaas/alerts/cpu_alerts",
    above: 90,
  },
  {
    name: "database-memory",
    says: "the database's memory is taken",
    type: "v1/dbaas/alerts/memory_utilization_alerts",
    above: 90,
  },
  {
    name: "database-disk",
    says: "the database's disk fills up",
    type: "v1/dbaas/alerts/disk_utilization_alerts",
    above: 80,
  },
];

/** Where uptime checks come from: said, because the provider does not read back what it was not told. */
const REGIONS = ["us_east", "us_west", "eu_west", "se_asia"];

/**
 * Tells the team when something is wrong: alarms on nodes, Load Balancer and database, and a check of the app from
 * outside.
 *
 * ```ts
 * new Alarms("alarms", { stack: "prod", emails: ["ops@example.com"], tag, balancerId, databaseId, url });
 * ```
 *
 * Alarms cost nothing; of uptime checks the first of an account is free, others cost $1 a month.
 */
export class Alarms extends pulumi.ComponentResource {
  constructor(
    private readonly name: string,
    private readonly args: AlarmsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("archipelago:alarms:Alarms", name, {}, opts);
    for (const alarm of DROPLET) this.watch(alarm, { tags: [args.tag] });
    for (const alarm of BALANCER) this.watch(alarm, { entities: [args.balancerId] });
    if (args.databaseId !== undefined) {
      for (const alarm of DATABASE) this.watch(alarm, { entities: [args.databaseId] });
    }
    if (args.url !== undefined) this.askFromOutside(args.url);
    this.registerOutputs({});
  }

  private watch(
    { name, says, type, above }: Alarm,
    what: Pick<digitalocean.MonitorAlertArgs, "tags" | "entities">,
  ): void {
    const { stack, emails } = this.args;
    new digitalocean.MonitorAlert(
      `${this.name}-${name}`,
      {
        description: `${stack}: ${says}`,
        type,
        compare: "GreaterThan",
        // A whole number: the API keeps 32 bits of a fraction.
        value: above,
        window: "10m",
        enabled: true,
        alerts: { emails: [...emails] },
        ...what,
      },
      { parent: this },
    );
  }

  private askFromOutside(url: pulumi.Input<string>): void {
    const { stack, emails } = this.args;
    const target = pulumi.output(url);
    const check = new digitalocean.UptimeCheck(
      this.name,
      {
        name: `archipelago-${stack}`,
        target,
        type: target.apply((text) => (text.startsWith("https:") ? "https" : "http")),
        regions: REGIONS,
        enabled: true,
      },
      { parent: this },
    );
    new digitalocean.UptimeAlert(
      `${this.name}-down`,
      {
        checkId: check.id,
        name: `${stack}: the app does not answer`,
        type: "down_global",
        period: "2m",
        notifications: [{ emails: [...emails] }],
      },
      { parent: this },
    );
  }
}

import type { z } from "zod";
import { choice, flag, list, mapping, named, text } from "./fields";
import type { Roll } from "./roll";
import { alerts } from "./schema/alerts";
import { backup } from "./schema/backup";
import { cache, database } from "./schema/database";
import { domain } from "./schema/domain";
import { edge } from "./schema/edge";
import { files } from "./schema/files";
import { floatingIp, loadBalancer } from "./schema/ingress";
import { managers, node, workers } from "./schema/nodes";
import { NAME, NAME_RULE } from "./schema/patterns";
import { privateNodes } from "./schema/private-nodes";
import { registry } from "./schema/registry";
import { secondSite } from "./schema/second-site";
import { service } from "./schema/service";
import { sshFrom } from "./schema/ssh-from";
import type { SshKeySource } from "./ssh-keys";

const TOPOLOGIES = ["single-node", "swarm", "ha"] as const;

/**
 * What a stack file may say under `archipelago:`. This is the only definition: the checks, the
 * defaults, the types and the published JSON Schema all come from it.
 */
export const stackSchema = mapping(
  {
    topology: choice(
      TOPOLOGIES,
      "What is built. Default: the stack's name. `single-node`: one Droplet. `swarm`: managers and workers behind a Load Balancer, with a managed database. `ha`: the same with every part twice, and alarms.",
    ),
    region: text(
      /^[a-z]{2,4}[0-9]$/,
      "a DigitalOcean region slug such as fra1",
      "DigitalOcean region. A stack stays in its region.",
    ),
    vpcCidr: text(
      /^\d+\.\d+\.\d+\.\d+\/\d+$/,
      "an IPv4 CIDR such as 10.64.0.0/20",
      "Range of the VPC, /16 to /28. Default: a /20 in 10.64.0.0/11 chosen by the stack's name. Cannot change later.",
    ).optional(),
    nodes: named(
      NAME,
      NAME_RULE,
      node,
      `What one node does differently, by its name. In \`single-node\` the name of the Droplet, default: manager-1.`,
    ).default({}),
    managers: managers.optional(),
    workers: workers.optional(),
    secondSite: secondSite.optional(),
    image: text(
      /^[a-z0-9.-]+$/,
      "an image slug such as debian-12-x64",
      "Image of new Droplets: Debian or Ubuntu. The default is the system that local machines run, and Docker comes from its packages: what was rehearsed is what runs.",
    ).default("debian-12-x64"),
    sshKeys: list(
      text(
        /^\S.*$/,
        "a public key, a path to one, or the name or fingerprint of a key in the account",
        "An OpenSSH public key, a file that holds one, or the name or fingerprint of a key in the account.",
      ),
      "Who may log in to the nodes. Default: the public half of $ARCHIPELAGO_SSH_KEY or ~/.ssh/id_ed25519. A change reaches running nodes without a rebuild.",
      1,
    ).optional(),
    sshFrom: sshFrom.default(["me"]),
    privateNodes: privateNodes.prefault(false),
    domain: domain.optional(),
    ingress: choice(
      ["floating-ip", "load-balancer"],
      "How requests come in. `load-balancer`: a DigitalOcean Load Balancer; the default of `swarm` and `ha`. `floating-ip`: a Reserved IP that leads to the first manager; the default of `single-node`.",
    ).optional(),
    loadBalancer: loadBalancer.prefault({}),
    floatingIp: floatingIp.prefault({}),
    edge: edge.prefault({}),
    database: database.prefault({}),
    cache: cache.prefault({}),
    files: files.prefault(false),
    backup: backup.optional(),
    registry: registry.prefault({}),
    services: named(NAME, NAME_RULE, service, "The app: one or more services."),
    alerts: alerts.prefault({}),
    protect: flag(
      "Refuse to delete what holds data or an address: Volume and its Droplet, Reserved IP, databases, DNS zone. Always on in the cloud; locally off unless set.",
    ).optional(),
  },
  "An Archipelago stack.",
);

export type StackFile = z.output<typeof stackSchema>;
export type Topology = (typeof TOPOLOGIES)[number];
export type ServiceConfig = StackFile["services"][string];
export type DomainConfig = NonNullable<StackFile["domain"]>;
export type HealthConfig = ServiceConfig["health"];
export type CacheConfig = StackFile["cache"];

/** A choice whose default hangs on the topology. */
type Chosen<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: NonNullable<T[P]> };

export type DatabaseConfig = Chosen<
  StackFile["database"],
  "engine" | "size" | "nodes" | "replicas"
>;
export type RegistryConfig = Chosen<StackFile["registry"], "kind">;

/** One node of a stack. */
export interface FleetNode {
  readonly size: string;
  readonly role: "manager" | "worker";
}

/** A second site, with every default applied. */
export interface SecondSite {
  readonly region: string;
  readonly vpcCidr: string;
  readonly nodes: Readonly<Record<string, FleetNode>>;
}

/** A whole, valid configuration: the stack file with every default applied, and where it runs. */
export interface Config extends Omit<
  StackFile,
  | "managers"
  | "workers"
  | "nodes"
  | "secondSite"
  | "ingress"
  | "loadBalancer"
  | "database"
  | "registry"
  | "vpcCidr"
  | "sshKeys"
  | "protect"
> {
  /** Every node by its name: `manager-1`, `worker-2`. Managers come first. */
  readonly nodes: Readonly<Record<string, FleetNode>>;
  readonly secondSite?: SecondSite | undefined;
  readonly ingress: NonNullable<StackFile["ingress"]>;
  readonly loadBalancer: Chosen<StackFile["loadBalancer"], "nodes">;
  readonly database: DatabaseConfig;
  readonly registry: RegistryConfig;
  /** Name of the Pulumi stack: the environment. Prefix of every name in the account. */
  readonly stack: string;
  readonly vpcCidr: string;
  readonly sshKeys: readonly SshKeySource[];
  readonly protect: boolean;
  /** `simulated`: Droplets without a body, so nothing that needs a running machine is declared. */
  readonly machines: "real" | "simulated";
  /** In a step of `npm run roll`. */
  readonly roll?: Roll | undefined;
}

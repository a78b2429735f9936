import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Builder } from "../../components/app/container";
import { dockerProviderArgs } from "../../components/docker-connection";
import type { RegistryLogin } from "../../components/registry";
import { prepareSshDirectory } from "../../components/ssh-directory";
import * as swarm from "../../providers/swarm/sdk";
import type { Config } from "../config";
import { firstNode } from "../fleet";
import { pinnedNode } from "../fleet-plan";
import type { Place } from "./ground";
import type { Nodes } from "./nodes";
import { inSite, type Site } from "./site";

/** Where things of the swarm are made. */
export interface OnSwarm {
  readonly networkId: pulumi.Output<string>;
  /** A manager that lives. */
  readonly connection: pulumi.Output<swarm.Connection>;
  /** Swarm id of the node that has the Volume. */
  readonly volumeNodeId: pulumi.Output<string>;
  /** For single resources. */
  readonly child: pulumi.CustomResourceOptions;
  /** For components. */
  readonly onSwarm: pulumi.ComponentResourceOptions;
  /** Whose change is reason to look at every service again. */
  readonly triggers: readonly string[];
  readonly site: Site;
}

/** The way to the swarm's managers, and the network of its services. */
export function makeSwarm(
  config: Config,
  nodes: Nodes,
  cluster: swarm.Cluster,
  login: RegistryLogin | undefined,
  { env }: Place,
  site: Site,
): OnSwarm {
  const first = nodes[firstNode(config)]?.member;
  if (first === undefined) throw new Error("a real node is a member");
  const connection = swarm.livingManager({
    clusterId: cluster.id,
    clusterKey: cluster.signingKey,
    tag: cluster.tag,
    bastion: cluster.bastion,
    candidates: Object.entries(nodes).flatMap(([name, { member }]) =>
      config.nodes[name]?.role === "manager" && member ? [member.connection] : [],
    ),
  });
  prepareSshDirectory();
  const provider = new docker.Provider(
    "swarm",
    {
      ...dockerProviderArgs(connection, env.ARCHIPELAGO_SSH_KEY !== undefined),
      ...(login && { registryAuth: [login] }),
    },
    inSite(site),
  );
  const onSwarm: pulumi.ComponentResourceOptions = {
    ...inSite(site),
    providers: { docker: provider },
    transformations: [
      ({ type, props, opts }) =>
        type.startsWith("docker:")
          ? { props, opts: pulumi.mergeOptions(dockerOptions(type, cluster), opts) }
          : undefined,
    ],
  };
  const tools = new pulumi.ComponentResource("archipelago:swarm:Tools", "tools", {}, onSwarm);
  const child = { parent: tools };
  const network = new docker.Network(
    "app",
    {
      name: "archipelago",
      driver: "overlay",
      // Only services. Not encrypted: that needs ESP, which DigitalOcean's Firewall drops, and between
      // nodes the VPC is private already.
      attachable: false,
    },
    {
      ...child,
      dependsOn: [
        // Tasks go to every node.
        ...Object.values(nodes).flatMap(({ member }) => member ?? []),
        ...site.beforeServices,
      ],
    },
  );
  return {
    networkId: network.id,
    connection,
    volumeNodeId: first.nodeId,
    child,
    onSwarm,
    // Powered off and on, every task is started anew.
    triggers: [config.nodes[pinnedNode(config) ?? ""]?.size ?? ""],
    site,
  };
}

/** Without a registry an image is built on each node. */
export function makeBuilders(
  { services, registry, backup }: Config,
  nodes: Nodes,
  { env }: Place,
  site: Site,
): Record<string, Builder> {
  const builds =
    backup !== undefined || Object.values(services).some(({ build }) => build !== undefined);
  if (!builds || registry.kind !== "none") return {};
  const [, ...others] = Object.entries(nodes);
  return Object.fromEntries(
    others.flatMap(([name, { member, droplet }]) => {
      if (!member) return [];
      const agent = env.ARCHIPELAGO_SSH_KEY !== undefined;
      const provider = new docker.Provider(
        name,
        dockerProviderArgs(member.connection, agent),
        inSite(site),
      );
      return [[name, { provider, droplet }]];
    }),
  );
}

function dockerOptions(type: string, cluster: swarm.Cluster): pulumi.CustomResourceOptions {
  return {
    // What is in the swarm goes with it: destroying it needs no living swarm. What is on one node goes with that.
    deletedWith: cluster,
    // Another swarm has none of it, whatever the state says of the one before.
    replacementTrigger: cluster.id,
    // Docker pins the platforms when a service is made, and forgets them at its first update.
    ...(type === "docker:index/service:Service" && {
      ignoreChanges: ["taskSpec.placement.platforms"],
    }),
  };
}

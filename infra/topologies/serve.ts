import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Builder } from "../../components/app/container";
import { dockerProviderArgs, prepareSshDirectory } from "../../components/docker-connection";
import { Edge } from "../../components/edge/edge";
import { IMAGES, pulledImage } from "../../components/images";
import { NOTICE_SECONDS } from "../../components/load-balancer";
import type { RegistryLogin } from "../../components/registry";
import * as swarm from "../../providers/swarm/sdk";
import type { Account } from "../account";
import type { Config } from "../config";
import { firstNode } from "../fleet";
import { pinnedNode } from "../fleet-plan";
import { VOLUME_MOUNT } from "../names";
import { edgeRoutes } from "../routes";
import { makeApp } from "./app";
import { archiveOf, savedBy, serveBackup } from "./backup";
import { watchBackup } from "./backup-watch";
import { serveCache } from "./cache";
import { type OnSwarm, serveDatabase } from "./database";
import type { Place } from "./ground";
import type { Ingress } from "./ingress";
import type { Managed } from "./managed";
import { INGRESS_LABEL, type Nodes } from "./nodes";
import type { Served } from "./outputs";
import { FIRST_SITE, inSite, type Site } from "./site";
import { makeToolbox } from "./toolbox";

/** What the services stand on. */
export interface Foundation {
  readonly nodes: Nodes;
  /** Absent where machines are simulated. */
  readonly cluster: swarm.Cluster | undefined;
  readonly ingress: Omit<Ingress, "lead">;
  readonly managed: Managed;
}

/**
 * The app and what it needs, as services of the swarm, in this order: every node has joined → network, secrets and
 * configs → database and cache → release commands → services → edge → the front address answers.
 */
export function serve(
  config: Config,
  account: Account,
  place: Place,
  { nodes, cluster, ingress, managed }: Foundation & { readonly cluster: swarm.Cluster },
  site = FIRST_SITE,
): Served {
  const login = registryLogin(config, managed);
  const onSwarm = makeSwarm(config, nodes, cluster, login, place, site);
  const builders = makeBuilders(config, nodes, place, site);
  const repository = repositoryOf(config, managed);
  const saved = savedBy(config, managed, site);
  const toolbox = saved && makeToolbox(onSwarm, repository, builders);
  const archive =
    saved && toolbox && config.database.engine === "container"
      ? archiveOf(config, saved, toolbox)
      : undefined;
  const database = serveDatabase(config, account, managed.postgres, onSwarm, archive);
  const backup =
    saved && toolbox
      ? [
          serveBackup(config, saved, toolbox, onSwarm, database),
          ...watchBackup(config, saved, toolbox, onSwarm),
        ]
      : [];
  const cache = serveCache(config, managed.cache, onSwarm);
  const { targets, images } = makeApp(config, {
    onSwarm,
    login,
    database,
    cache,
    files: managed.files,
    root: place.root,
    repository,
    builders,
  });
  const app = new swarm.Rollout(
    "app",
    {
      connection: onSwarm.connection,
      services: [...targets, ...backup],
      triggers: [...onSwarm.triggers],
    },
    inSite(site),
  );
  const edge = makeEdge(config, account, onSwarm, app);
  const front = new swarm.Rollout(
    "front",
    {
      connection: onSwarm.connection,
      services: [...edge.targets],
      url: ingress.probe,
      // A change of the app alone is looked at from the front as well.
      triggers: [...onSwarm.triggers, ...targets.map(({ version }) => version)],
    },
    { ...inSite(site), dependsOn: [app, edge, ...ingress.ready] },
  );
  return { url: ingress.url, images, done: [front] };
}

/** The way to the swarm's managers, and the network of its services. */
function makeSwarm(
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
function makeBuilders(
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

function registryLogin({ registry }: Config, managed: Managed): RegistryLogin | undefined {
  if (managed.registry !== undefined) return managed.registry.login;
  const { server, username, password } = registry;
  if (server === undefined || username === undefined || password === undefined) return undefined;
  return { address: server.split("/")[0] ?? server, username, password: pulumi.secret(password) };
}

/** Where images are pushed. */
function repositoryOf({ registry }: Config, managed: Managed): pulumi.Output<string> | undefined {
  if (managed.registry !== undefined) return managed.registry.repository;
  return registry.server === undefined ? undefined : pulumi.output(registry.server);
}

/**
 * The same service in every topology, which serves clients and a Load Balancer alike: where a stack's way in changes, both
 * are used for a while, and a node's ports cannot be handed from one task to the next.
 */
function makeEdge(
  config: Config,
  account: Account,
  { networkId, child, onSwarm }: OnSwarm,
  app: swarm.Rollout,
) {
  return new Edge(
    "edge",
    {
      haproxyImage: pulledImage("haproxy", IMAGES.haproxy, child),
      nodeImage: pulledImage("node", IMAGES.node, child),
      networkId,
      routes: edgeRoutes(config),
      ...config.edge,
      constraints: [`node.labels.${INGRESS_LABEL} == true`],
      ...edgeDomain(config, account),
      dataDir: `${VOLUME_MOUNT}/edge`,
      front: { range: config.vpcCidr, noticeSeconds: NOTICE_SECONDS },
      after: [app],
    },
    onSwarm,
  );
}

function edgeDomain({ domain, ingress }: Config, { fleet }: Account) {
  // A Load Balancer ends TLS. Whoever still comes by the Reserved IP of before is served with the certificates of before.
  const kept = fleet.reservedIp === undefined ? ("none" as const) : ("kept" as const);
  const certificates = ingress === "load-balancer" ? kept : ("renewed" as const);
  if (domain === undefined) return { acme: { certificates } };
  return {
    domain: domain.name,
    acme: {
      certificates,
      ...(domain.email !== undefined && { email: domain.email }),
      ...(domain.acmeDirectory !== undefined && { directoryUrl: domain.acmeDirectory }),
      ...(domain.acmeCa !== undefined && { caPem: domain.acmeCa }),
    },
    ...(domain.alarmWebhook !== undefined && { alarm: { webhook: domain.alarmWebhook } }),
  };
}

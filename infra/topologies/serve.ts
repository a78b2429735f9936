import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { AppService } from "../../components/app-service";
import { dockerProviderArgs, prepareSshDirectory } from "../../components/docker-connection";
import { Edge } from "../../components/edge/edge";
import { IMAGES, pulledImage } from "../../components/images";
import { HEALTH_PATH, NOTICE_SECONDS } from "../../components/load-balancer";
import type { Node } from "../../components/node";
import * as swarm from "../../providers/swarm/sdk";
import type { Account } from "../account";
import type { Config } from "../config";
import { VOLUME_MOUNT } from "../names";
import { edgeRoutes } from "../routes";
import { makeDatabase } from "./database";
import type { Served } from "./outputs";

/** Where the program runs. */
export interface Place {
  /** Directory that build contexts start at. */
  readonly root: string;
  /** CIDRs that may reach SSH. */
  readonly sshFrom: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The swarm, and the way in to it. */
export interface Fleet {
  /** By name; the first is a manager, and has the Volume. */
  readonly nodes: Readonly<Record<string, Node>>;
  readonly cluster: swarm.Cluster;
  /** Public IPv4 address of the app. */
  readonly address: pulumi.Output<string>;
  /** A Load Balancer sends the requests, from inside the VPC. */
  readonly balanced: boolean;
  /** What must be there before the address can answer. */
  readonly ingress: readonly pulumi.Resource[];
}

/** The app and what it stands on, as services of the swarm. */
export function serve(
  config: Config,
  account: Account,
  { root, env }: Place,
  { nodes, cluster, address, balanced, ingress }: Fleet,
): Served {
  const [[firstName, first], ...others] = Object.entries(nodes) as [
    [string, Node],
    ...[string, Node][],
  ];
  const { member } = first;
  if (member === undefined) throw new Error("a real node is a member of the swarm");
  prepareSshDirectory();
  const ownKey = env.ARCHIPELAGO_SSH_KEY !== undefined;
  const connection = swarm.livingManager({
    clusterId: cluster.id,
    clusterKey: cluster.signingKey,
    tag: cluster.tag,
    candidates: Object.entries(nodes).flatMap(([name, node]) =>
      config.nodes[name]?.role === "manager" && node.member ? [node.member.connection] : [],
    ),
  });
  const provider = new docker.Provider("swarm", dockerProviderArgs(connection, ownKey));
  const builds = Object.values(config.services).some(({ build }) => build !== undefined);
  const builders = Object.fromEntries(
    others.flatMap(([name, { member: other }]) =>
      builds && other
        ? [[name, new docker.Provider(name, dockerProviderArgs(other.connection, ownKey))]]
        : [],
    ),
  );
  const onSwarm: pulumi.ComponentResourceOptions = {
    providers: { docker: provider },
    transformations: [
      ({ type, props, opts }) =>
        type.startsWith("docker:")
          ? { props, opts: pulumi.mergeOptions(opts, dockerOptions(type, cluster)) }
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
    child,
  );
  const networkId = network.id;
  const database = makeDatabase(config, account, { networkId, member, connection, child, onSwarm });
  // Tasks go to every node: the release command and the first tasks wait for all of them.
  const members = Object.values(nodes).flatMap((node) => node.member ?? []);
  const services = Object.entries(config.services).map(
    ([name, service]) =>
      [
        name,
        new AppService(
          name,
          {
            service,
            root,
            networkId,
            connection,
            databaseUrl: database?.url,
            volume: { directory: `${VOLUME_MOUNT}/services/${name}`, nodeId: member.nodeId },
            builders,
            after: [...(database ? [database.ready] : []), ...members],
          },
          onSwarm,
        ),
      ] as const,
  );
  // A resize restarts every task.
  const size = config.nodes[firstName]?.size ?? "";
  const app = new swarm.Rollout("app", {
    connection,
    services: services.map(([, { target }]) => target),
    triggers: [size],
  });
  const edge = new Edge(
    "edge",
    {
      haproxyImage: pulledImage("haproxy", IMAGES.haproxy, child),
      nodeImage: pulledImage("node", IMAGES.node, child),
      networkId,
      routes: edgeRoutes(config),
      ...edgeDomain(config),
      // What only one node writes may be kept on its Volume.
      ...(others.length === 0 && { dataDir: `${VOLUME_MOUNT}/edge` }),
      ...(balanced && {
        front: { healthPath: HEALTH_PATH, range: config.vpcCidr, noticeSeconds: NOTICE_SECONDS },
      }),
      after: [app],
    },
    onSwarm,
  );
  new swarm.Rollout(
    "front",
    {
      connection,
      services: [...edge.targets],
      url: probeUrl(config, address),
      // A change of the app alone is looked at from the front as well.
      triggers: [size, ...services.map(([, { target }]) => target.version)],
    },
    { dependsOn: [app, edge, ...ingress] },
  );
  return {
    url: appUrl(config, address),
    images: Object.fromEntries(services.map(([name, { image }]) => [name, image])),
  };
}

function dockerOptions(type: string, cluster: swarm.Cluster): pulumi.CustomResourceOptions {
  return {
    // What is in the swarm goes with it: destroying it needs no living swarm.
    deletedWith: cluster,
    // Another swarm has none of it, whatever the state says of the one before.
    replacementTrigger: cluster.id,
    // Docker pins the platforms when a service is made, and forgets them at its first update.
    ...(type === "docker:index/service:Service" && {
      ignoreChanges: ["taskSpec.placement.platforms"],
    }),
  };
}

function edgeDomain({ domain }: Config) {
  if (domain === undefined) return {};
  return {
    domain: domain.name,
    acme: {
      ...(domain.email !== undefined && { email: domain.email }),
      ...(domain.acmeDirectory !== undefined && { directoryUrl: domain.acmeDirectory }),
      ...(domain.acmeCa !== undefined && { caPem: domain.acmeCa }),
    },
    ...(domain.alarmWebhook !== undefined && { alarm: { webhook: domain.alarmWebhook } }),
  };
}

function appUrl({ domain }: Config, address: pulumi.Output<string>): pulumi.Output<string> {
  return domain === undefined
    ? pulumi.interpolate`http://${address}/`
    : pulumi.output(`https://${domain.name}/`);
}

/** What is asked before `up` ends. With a domain, DNS and certificate may take longer than that. */
function probeUrl(config: Config, address: pulumi.Output<string>) {
  const [route] = edgeRoutes(config).filter(({ hosts }) => hosts === undefined);
  return route && pulumi.interpolate`http://${address}${route.paths?.[0] ?? "/"}`;
}

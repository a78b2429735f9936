import * as digitalocean from "@pulumi/digitalocean";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { AppService } from "../../components/app-service";
import { dockerProviderArgs, prepareSshDirectory } from "../../components/docker-connection";
import { Dns } from "../../components/dns";
import { Edge } from "../../components/edge/edge";
import { FloatingIp } from "../../components/floating-ip";
import { IMAGES, pulledImage } from "../../components/images";
import { Network } from "../../components/network";
import { Node } from "../../components/node";
import { Pgbouncer } from "../../components/pgbouncer";
import { Postgres } from "../../components/postgres";
import { SshAccess } from "../../components/ssh-access";
import { StackProject } from "../../components/stack-project";
import * as swarm from "../../providers/swarm/sdk";
import { accessKeys } from "../access-keys";
import type { Account } from "../account";
import { DOCKER_RANGES } from "../addresses";
import type { Config } from "../config";
import { dollars, monthlyCost } from "../cost";
import { dropletName, stackName, stackTag, VOLUME_MOUNT, volumeName } from "../names";
import { edgeRoutes, routeHosts } from "../routes";

/** Where the program runs. */
export interface Place {
  /** Directory that build contexts start at. */
  readonly root: string;
  /** CIDRs that may reach SSH. */
  readonly sshFrom: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const NOT_SERVED = "not served: simulated machine";

/** Everything on one Droplet: a swarm of one, its data on a Volume, its address a Reserved IP. */
export function singleNode(config: Config, account: Account, place: Place) {
  const ground = layGround(config, account, place);
  if (config.machines === "simulated") {
    void pulumi.log.info(NOT_SERVED);
    return outputs(config, account, ground, { url: pulumi.output(NOT_SERVED), images: {} });
  }
  return outputs(config, account, ground, serve(config, account, ground, place));
}

/** What DigitalOcean provides, and the swarm on it. */
function layGround(config: Config, account: Account, { sshFrom }: Place) {
  const { stack, region, protect } = config;
  const network = new Network("network", {
    name: stackName(stack),
    region,
    ipRange: config.vpcCidr,
    tag: stackTag(stack),
    sshFrom,
  });
  const access = new SshAccess("ssh", { keys: accessKeys(config, account) });
  const volume = new digitalocean.Volume(
    "data",
    {
      name: volumeName(stack),
      region,
      size: config.database.volumeGib,
      // Grows while in use, locally too.
      initialFilesystemType: "xfs",
      initialFilesystemLabel: "data",
      tags: [network.tag],
    },
    { protect },
  );
  const cluster =
    config.machines === "real"
      ? new swarm.Cluster("swarm", { name: stack, defaultAddrPool: [DOCKER_RANGES.overlay] })
      : undefined;
  const [name, { size }] = onlyNode(config);
  const node = new Node(name, {
    dropletName: dropletName(stack, name),
    region,
    size,
    image: config.image,
    vpcId: network.vpcId,
    tags: [network.tag],
    sshKeys: access.fingerprints,
    authorizedKeys: access.publicKeys,
    ...(cluster && { cluster }),
    role: "manager",
    volume: {
      id: volume.id,
      name: volumeName(stack),
      sizeGib: config.database.volumeGib,
      mountPoint: VOLUME_MOUNT,
      directories: dataDirectories(config),
    },
    protect,
    after: [network.firewall],
  });
  const floatingIp = new FloatingIp("address", {
    region,
    dropletId: node.droplet.id.apply(Number),
    existing: config.floatingIp.existing,
    protect,
    after: [node.attachment],
  });
  const dns = makeDns(config, floatingIp.address);
  const urns = [node.droplet.dropletUrn, volume.volumeUrn, floatingIp.ipUrn, dns?.domainUrn];
  new StackProject("project", {
    name: stackName(stack),
    stack,
    urns: urns.filter((urn) => urn !== undefined),
  });
  return { node, floatingIp };
}

function makeDns({ domain, protect, ...config }: Config, address: pulumi.Input<string>) {
  if (domain === undefined || domain.dns === "none") return undefined;
  const zone = domain.zone ?? domain.name;
  const names = new Set([domain.name, ...routeHosts(config)]);
  return new Dns("dns", {
    zone,
    createZone: domain.dns === "create",
    names: [...names].filter((name) => name === zone || name.endsWith(`.${zone}`)),
    address,
    protect,
  });
}

/** The app and what it stands on, as services of the swarm. */
function serve(
  config: Config,
  account: Account,
  { node, floatingIp }: ReturnType<typeof layGround>,
  { root, env }: Place,
) {
  const { member } = node;
  if (member === undefined) throw new Error("a real node is a member of the swarm");
  prepareSshDirectory();
  const provider = new docker.Provider(
    "swarm",
    dockerProviderArgs(member.connection, env.ARCHIPELAGO_SSH_KEY !== undefined),
  );
  const onSwarm: pulumi.ComponentResourceOptions = {
    providers: { docker: provider },
    transformations: [
      ({ type, props, opts }) =>
        type.startsWith("docker:")
          ? { props, opts: pulumi.mergeOptions(opts, dockerOptions(type, node)) }
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
  const database = makeDatabase(config, account, { networkId, member, child, onSwarm });
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
            connection: member.connection,
            databaseUrl: database?.url,
            volume: { directory: `${VOLUME_MOUNT}/services/${name}`, nodeId: member.nodeId },
            after: database ? [database.ready] : [],
          },
          onSwarm,
        ),
      ] as const,
  );
  const [, { size }] = onlyNode(config);
  const app = new swarm.Rollout("app", {
    connection: member.connection,
    services: services.map(([, { target }]) => target),
    // A resize restarts every task.
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
      dataDir: `${VOLUME_MOUNT}/edge`,
      after: [app],
    },
    onSwarm,
  );
  const url = appUrl(config, floatingIp.address);
  new swarm.Rollout(
    "front",
    {
      connection: member.connection,
      services: [...edge.targets],
      url: probeUrl(config, floatingIp.address),
      // A change of the app alone is looked at from the front as well.
      triggers: [size, ...services.map(([, { target }]) => target.version)],
    },
    { dependsOn: [app, edge, floatingIp.assignment] },
  );
  return { url, images: Object.fromEntries(services.map(([name, { image }]) => [name, image])) };
}

function dockerOptions(type: string, { droplet, member }: Node): pulumi.CustomResourceOptions {
  return {
    // What is in the swarm goes with its only Droplet: destroying it needs no living swarm.
    deletedWith: droplet,
    // Another swarm has none of it, whatever the state says of the one before.
    ...(member && { replacementTrigger: member.nodeId }),
    // Docker pins the platforms when a service is made, and forgets them at its first update.
    ...(type === "docker:index/service:Service" && {
      ignoreChanges: ["taskSpec.placement.platforms"],
    }),
  };
}

type OnSwarm = {
  readonly networkId: pulumi.Output<string>;
  readonly member: swarm.Node;
  /** For single resources. */
  readonly child: pulumi.CustomResourceOptions;
  /** For components. */
  readonly onSwarm: pulumi.ComponentResourceOptions;
};

/** PostgreSQL behind PgBouncer, or nothing. */
function makeDatabase(
  config: Config,
  account: Account,
  { networkId, member, child, onSwarm }: OnSwarm,
) {
  if (config.database.engine === "none") return undefined;
  const [, { size }] = onlyNode(config);
  const nodeMemoryMib = account.sizes.find(({ slug }) => slug === size)?.memory ?? 0;
  const postgres = new Postgres(
    "postgres",
    {
      image: pulledImage("postgres", IMAGES.postgres, child),
      version: config.database.version,
      nodeMemoryMib,
      networkId,
      directory: `${VOLUME_MOUNT}/postgres`,
      nodeId: member.nodeId,
    },
    onSwarm,
  );
  const pgbouncer = new Pgbouncer(
    "pgbouncer",
    {
      image: pulledImage("pgbouncer", IMAGES.pgbouncer, child),
      networkId,
      host: "postgres",
      password: postgres.password,
    },
    onSwarm,
  );
  // A release command and the app's first start find a database that answers.
  const ready = new swarm.Rollout("database", {
    connection: member.connection,
    services: [postgres.target, pgbouncer.target],
    triggers: [size],
  });
  return { url: pgbouncer.databaseUrl, ready };
}

/** Directories on the Volume that services are given. */
function dataDirectories({ database, services }: Config): swarm.NodeDirectory[] {
  const withVolume = Object.entries(services).filter(([, { volume }]) => volume !== undefined);
  return [
    { path: "edge" },
    ...(database.engine === "container" ? [{ path: "postgres" }] : []),
    // Images run as users of their own, which the node cannot know.
    ...withVolume.map(([name]) => ({ path: `services/${name}`, mode: "0777" })),
  ];
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

/** What operators and commands read. */
function outputs(
  config: Config,
  account: Account,
  { node: { droplet, member }, floatingIp }: ReturnType<typeof layGround>,
  { url, images }: { url: pulumi.Output<string>; images: Record<string, pulumi.Output<string>> },
) {
  const [name, { size }] = onlyNode(config);
  return {
    url,
    address: floatingIp.address,
    nodes: [
      {
        name,
        role: "manager",
        size,
        publicIp: droplet.ipv4Address,
        privateIp: droplet.ipv4AddressPrivate,
        ...(member && { hostKey: member.hostKey, connection: member.connection }),
      },
    ],
    services: Object.fromEntries(
      Object.entries(config.services).map(([service, { replicas, routes, image }]) => [
        service,
        { image: images[service] ?? image ?? "", replicas, routes },
      ]),
    ),
    monthlyCost: dollars(monthlyCost(config, account).after),
    ...(member && { sshCommand: pulumi.interpolate`ssh root@${droplet.ipv4Address}` }),
  };
}

function onlyNode({ nodes }: Config) {
  const [entry] = Object.entries(nodes);
  if (entry === undefined) throw new Error("the rules ask for exactly one node");
  return entry;
}

import type * as pulumi from "@pulumi/pulumi";
import { Dns } from "../../components/dns";
import { FloatingIp } from "../../components/floating-ip";
import { Network } from "../../components/network";
import { Node } from "../../components/node";
import { SshAccess } from "../../components/ssh-access";
import { StackProject } from "../../components/stack-project";
import { accessKeys } from "../access-keys";
import type { Account } from "../account";
import type { Config } from "../config";
import { nodeWithVolume } from "../fleet";
import { dropletName, stackName, stackTag, volumeName } from "../names";
import { routeHosts } from "../routes";
import { notServed, outputs } from "./outputs";
import { type Place, serve } from "./serve";
import { startSwarm } from "./start-swarm";
import { makeVolume, volumeUse } from "./volume";

/** Everything on one Droplet: a swarm of one, its data on a Volume, its address a Reserved IP. */
export function singleNode(config: Config, account: Account, place: Place) {
  const { nodes, cluster, floatingIp } = layGround(config, account, place);
  const { address } = floatingIp;
  const ingress = [floatingIp.assignment];
  const served =
    cluster === undefined
      ? notServed()
      : serve(config, account, place, { nodes, cluster, address, balanced: false, ingress });
  return outputs(config, account, nodes, address, served);
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
  const volume = makeVolume(config, network.tag);
  const name = nodeWithVolume(config);
  const node = new Node(name, {
    dropletName: dropletName(stack, name),
    region,
    size: config.nodes[name]?.size ?? "",
    image: config.image,
    vpcId: network.vpcId,
    tags: [network.tag],
    sshKeys: access.fingerprints,
    authorizedKeys: access.publicKeys,
    joins: config.machines === "real",
    alone: true,
    role: "manager",
    volumeName: volumeName(stack),
    volume: volumeUse(config, volume),
    protect,
    after: [network.firewall],
  });
  const cluster = startSwarm(config, network.tag, { [name]: node });
  const floatingIp = new FloatingIp("address", {
    region,
    dropletId: node.droplet.id.apply(Number),
    existing: config.floatingIp.existing,
    protect,
    after: node.attachment ? [node.attachment] : [],
  });
  const dns = makeDns(config, floatingIp.address);
  const urns = [node.droplet.dropletUrn, volume.volumeUrn, floatingIp.ipUrn, dns?.domainUrn];
  new StackProject("project", {
    name: stackName(stack),
    stack,
    urns: urns.filter((urn) => urn !== undefined),
  });
  return { nodes: { [name]: node }, cluster, floatingIp };
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

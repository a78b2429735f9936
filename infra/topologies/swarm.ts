import { LoadBalancer } from "../../components/load-balancer";
import { Network } from "../../components/network";
import { Node } from "../../components/node";
import { SshAccess } from "../../components/ssh-access";
import { StackProject } from "../../components/stack-project";
import { accessKeys } from "../access-keys";
import type { Account } from "../account";
import type { Config } from "../config";
import { nodeWithVolume } from "../fleet";
import { dropletName, stackName, stackTag, volumeName } from "../names";
import { notServed, outputs } from "./outputs";
import { type Place, serve } from "./serve";
import { startSwarm } from "./start-swarm";
import { makeVolume, volumeUse } from "./volume";

/** Managers and workers behind a Load Balancer; the database on the first manager's Volume. */
export function swarm(config: Config, account: Account, place: Place) {
  const { nodes, cluster, balancer } = layGround(config, account, place);
  const { address } = balancer;
  const ingress = [balancer.balancer, balancer.firewall];
  const served =
    cluster === undefined
      ? notServed()
      : serve(config, account, place, { nodes, cluster, address, balanced: true, ingress });
  return outputs(config, account, nodes, address, served);
}

function layGround(config: Config, account: Account, { sshFrom }: Place) {
  const { stack, region } = config;
  const network = new Network("network", {
    name: stackName(stack),
    region,
    ipRange: config.vpcCidr,
    tag: stackTag(stack),
    sshFrom,
    fleet: true,
  });
  const access = new SshAccess("ssh", { keys: accessKeys(config, account) });
  const volume = makeVolume(config, network.tag);
  const balancer = new LoadBalancer("front", {
    name: stackName(stack),
    region,
    vpcId: network.vpcId,
    tag: network.tag,
  });
  const nodes = makeNodes(config, { network, access, volume: volumeUse(config, volume) });
  const cluster = startSwarm(config, network.tag, nodes);
  new StackProject("project", {
    name: stackName(stack),
    stack,
    urns: [
      ...Object.values(nodes).map(({ droplet }) => droplet.dropletUrn),
      volume.volumeUrn,
      balancer.balancer.loadBalancerUrn,
    ],
  });
  return { nodes, cluster, balancer };
}

interface Ground {
  readonly network: Network;
  readonly access: SshAccess;
  readonly volume: ReturnType<typeof volumeUse>;
}

function makeNodes(config: Config, { network, access, volume }: Ground): Record<string, Node> {
  const { stack, region, protect } = config;
  const nodes: Record<string, Node> = {};
  for (const [name, { size, role }] of Object.entries(config.nodes)) {
    const holdsVolume = name === nodeWithVolume(config);
    nodes[name] = new Node(name, {
      dropletName: dropletName(stack, name),
      region,
      size,
      image: config.image,
      vpcId: network.vpcId,
      tags: [network.tag],
      sshKeys: access.fingerprints,
      authorizedKeys: access.publicKeys,
      joins: config.machines === "real",
      role,
      volumeName: volumeName(stack),
      ...(holdsVolume && { volume }),
      // Other nodes hold nothing that could be lost.
      protect: protect && holdsVolume,
      after: [network.firewall],
    });
  }
  return nodes;
}

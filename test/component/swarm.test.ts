import type { Account } from "../../infra/account";
import { readStackFile } from "../../infra/stack-file";
import { singleNode } from "../../infra/topologies/single-node";
import { swarm } from "../../infra/topologies/swarm";
import { type Declared, only, record } from "./recorder";

// It would make a directory in the home of whoever runs the tests.
jest.mock("../../components/docker-connection", () => ({
  ...jest.requireActual<object>("../../components/docker-connection"),
  prepareSshDirectory: () => undefined,
}));

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M";
const account: Account = {
  sizes: [],
  regions: [],
  image: undefined,
  imageSlugs: [],
  droplets: [],
  loadBalancers: 0,
  volume: undefined,
  sshKeys: [],
  reservedIp: undefined,
  zone: false,
};
const services = { web: { build: { context: "examples/notes" }, port: 3000, routes: ["/"] } };

async function declare(topology: "single-node" | "swarm", given: object = {}) {
  const root = process.cwd();
  const { config, faults } = readStackFile(
    { topology, region: "fra1", sshKeys: [KEY], services, ...given },
    { stack: "app", env: {}, root },
  );
  expect(faults).toEqual([]);
  const place = { root, env: {}, sshFrom: ["198.51.100.7/32"] };
  const build = { "single-node": singleNode, swarm }[topology];
  return (await record(() => build(config, account, place) as unknown)).declared;
}

const names = (declared: readonly Declared[], type: string) =>
  declared.filter((one) => one.type === type).map(({ name }) => name);
const inbound = (declared: readonly Declared[], name: string) =>
  only(declared, "digitalocean:index/firewall:Firewall", name).inputs.inboundRules as object[];

describe("the swarm topology, as declared", () => {
  let declared: Declared[];
  beforeAll(async () => {
    declared = await declare("swarm", { managers: 3, workers: 1 });
  });

  test("has each node by its name, each joins by itself, and all go with the swarm they are in", () => {
    const nodes = ["manager-1", "manager-2", "manager-3", "worker-1"];
    expect(names(declared, "digitalocean:index/droplet:Droplet").sort()).toEqual(nodes);
    const members = nodes.map((name) => only(declared, "swarm:index:Node", name));
    expect(members.map(({ inputs }) => inputs.cluster)).toEqual(nodes.map(() => "swarm-id"));
    for (const { options } of members) expect(options.deletedWith).toMatch(/Cluster::swarm$/);
  });

  test("lets in SSH from the operator, swarm from its own nodes and HTTP from its balancer, and nothing else", () => {
    expect(inbound(declared, "network")).toEqual([
      { protocol: "tcp", portRange: "22", sourceAddresses: ["198.51.100.7/32"] },
      { protocol: "tcp", portRange: "2377", sourceTags: ["archipelago-app"] },
      { protocol: "tcp", portRange: "7946", sourceTags: ["archipelago-app"] },
      { protocol: "udp", portRange: "7946", sourceTags: ["archipelago-app"] },
      { protocol: "udp", portRange: "4789", sourceTags: ["archipelago-app"] },
    ]);
    expect(inbound(declared, "front")).toEqual([
      { protocol: "tcp", portRange: "80", sourceLoadBalancerUids: ["front-id"] },
    ]);
  });

  test("asks each node every 3 s whether it takes requests, and gives up after two failures", () => {
    const { inputs } = only(declared, "digitalocean:index/loadBalancer:LoadBalancer", "front");
    expect(inputs.healthcheck).toMatchObject({
      path: "/archipelago/health",
      checkIntervalSeconds: 3,
      unhealthyThreshold: 2,
    });
    expect(inputs.dropletTag).toBe("archipelago-app");
  });

  test("builds an image on every node, because a task may be placed on any", () => {
    const images = names(declared, "docker:index/remoteImage:RemoteImage");
    expect(images.filter((name) => name.startsWith("web")).sort()).toEqual([
      "web",
      "web-manager-2",
      "web-manager-3",
      "web-worker-1",
    ]);
  });

  test("protects what holds data, and makes a new Droplet for another size where none is held", () => {
    const kept = declared.filter(({ options }) => options.protect).map(({ name }) => name);
    expect(kept.sort()).toEqual(["data", "manager-1"]);
  });

  test("shares network, Volume and first node with the single-node topology", async () => {
    const shared = ["vpc:Vpc", "volume:Volume", "volumeAttachment:VolumeAttachment"];
    const single = await declare("single-node");
    const of = (all: readonly Declared[]) =>
      all
        .filter(({ type }) => shared.some((each) => type.endsWith(each)))
        .map(({ type, name, inputs }) => ({ type, name, inputs }));
    expect(of(declared)).toEqual(of(single));
    const droplet = (all: readonly Declared[]) =>
      only(all, "digitalocean:index/droplet:Droplet", "manager-1").inputs;
    expect(droplet(declared)).toEqual(droplet(single));
  });
});

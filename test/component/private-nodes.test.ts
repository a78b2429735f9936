import { declare, emptyAccount, short } from "./declare";
import { type Declared, only } from "./recorder";

// It would make a directory in the home of whoever runs the tests.
jest.mock("../../components/ssh-directory", () => ({
  prepareSshDirectory: () => undefined,
}));

const services = {
  web: { image: "acme/web@sha256:0123456789abcdef0123", port: 3000, routes: ["/"] },
};
const JUMP = { host: "203.0.113.10", hostKey: "ssh-ed25519 PINNED" };

describe("nodes without public addresses, as declared", () => {
  let open: Declared[];
  let declared: Declared[];
  beforeAll(async () => {
    open = await declare("swarm", { services, managers: 1, workers: 1 });
    declared = await declare("swarm", { services, managers: 1, workers: 1, privateNodes: true });
  });

  const droplet = (name: string) => only(declared, "digitalocean:index/droplet:Droplet", name);
  const ssh = (name: string) => {
    const { inputs } = only(declared, "digitalocean:index/firewall:Firewall", name);
    const rules = inputs.inboundRules as { portRange: string }[];
    return rules.filter(({ portRange }) => portRange === "22");
  };

  test("are as many resources more as a bastion and a NAT gateway need, and no fewer", () => {
    const before = open.map(short);
    expect(
      declared
        .map(short)
        .filter((name) => !before.includes(name))
        .sort(),
    ).toEqual([
      "Bastion bastion",
      "Bastion bastion",
      "Droplet bastion",
      "Firewall bastion",
      "HostKey bastion-boot",
      "Tag network-bastion",
      "VpcNatGateway network",
    ]);
    expect(before.filter((name) => !declared.map(short).includes(name))).toEqual([]);
  });

  test("have no public address, and the VPC's NAT gateway as their way out", () => {
    for (const name of ["manager-1", "worker-1"])
      expect(droplet(name).inputs.publicNetworking).toBe(false);
    expect(droplet("bastion").inputs).not.toHaveProperty("publicNetworking");
    const gateway = only(declared, "digitalocean:index/vpcNatGateway:VpcNatGateway", "network");
    expect(gateway.inputs).toMatchObject({
      type: "PUBLIC",
      size: 1,
      vpcs: [{ vpcUuid: "network-id", defaultGateway: true }],
    });
    for (const one of open) expect(one.inputs).not.toHaveProperty("publicNetworking");
  });

  test("let SSH in from the bastion alone, and the bastion from the operator alone", () => {
    const port = { protocol: "tcp", portRange: "22" };
    expect(ssh("network")).toEqual([{ ...port, sourceTags: ["archipelago-app-bastion"] }]);
    expect(ssh("bastion")).toEqual([{ ...port, sourceAddresses: ["198.51.100.7/32"] }]);
    // Not the nodes' tag: it is no member of the swarm, and swarm's ports are closed to it.
    expect(droplet("bastion").inputs.tags).toEqual(["archipelago-app-bastion"]);
  });

  test("are joined, deployed to and named by way of the bastion", () => {
    const member = only(declared, "swarm:index:Node", "worker-1");
    expect(member.inputs).toMatchObject({ host: "10.64.0.2", bastion: JUMP });
    const cluster = only(declared, "swarm:index:Cluster", "swarm");
    expect(cluster.inputs).toMatchObject({ first: { host: "10.64.0.2" }, bastion: JUMP });
    const boot = only(declared, "swarm:index:Bastion", "bastion");
    expect(boot.inputs).toMatchObject({ host: "203.0.113.10", bootHostKey: "ssh-ed25519 BOOT" });
  });

  test("a bastion is replaced like a node: the new one first, never for its keys or user data", () => {
    expect(droplet("bastion").options).toMatchObject({
      deleteBeforeReplace: false,
      replaceOnChanges: ["size"],
      ignoreChanges: ["sshKeys", "userData", "monitoring"],
    });
  });

  test("a second site has a bastion and a NAT gateway of its own", async () => {
    const account = { ...emptyAccount, second: emptyAccount };
    const both = await declare(
      "ha",
      { services, privateNodes: true, secondSite: { region: "ams3" } },
      { account },
    );
    const named = (type: string) =>
      both.filter((one) => one.type.endsWith(`:${type}`)).map(({ inputs }) => inputs.name);
    expect(named("VpcNatGateway").sort()).toEqual(["archipelago-app", "archipelago-app-second"]);
    expect(named("Droplet")).toEqual(expect.arrayContaining(["app-bastion", "app-second-bastion"]));
  });
});

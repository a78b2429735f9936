import type { Account } from "../../../infra/account";
import { NO_FLEET } from "../../../infra/account-fleet";
import { accountFaults } from "../../../infra/account-faults";
import { monthlyCost } from "../../../infra/cost";
import { describeFault } from "../../../infra/faults";
import { fleetPlan } from "../../../infra/fleet-plan";
import { secondSiteConfig } from "../../../infra/second-site";
import { readStackFile } from "../../../infra/stack-file";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M";
const web = { image: "acme/web:1", port: 3000, routes: ["/"] };

const read = (given: object) =>
  readStackFile(
    { topology: "ha", region: "fra1", sshKeys: [KEY], services: { web }, ...given },
    { stack: "app", env: {}, root: process.cwd() },
  );
const faults = (secondSite: object, given: object = {}) =>
  read({ ...given, secondSite }).faults.map(describeFault);

test("a second site has pools, a VPC and names of its own, and nothing that happens once", () => {
  const services = {
    web: { ...web, release: ["migrate"] },
    nightly: { image: "acme/web:1", schedule: "0 3 * * *" },
  };
  const { config, faults: none } = read({
    services,
    secondSite: { region: "ams3", workers: 1, nodes: { "manager-1": { retired: true } } },
  });
  expect(none).toEqual([]);
  const second = secondSiteConfig(config);
  expect(second).toMatchObject({ stack: "app-second", region: "ams3", vpcCidr: "10.97.32.0/20" });
  expect(Object.keys(second?.nodes ?? {})).toEqual([
    "manager-2",
    "manager-3",
    "manager-4",
    "worker-1",
  ]);
  expect(Object.keys(second?.services ?? {})).toEqual(["web"]);
  expect(second?.services["web"]?.release).toBeUndefined();
  expect(config.services["web"]?.release).toEqual(["migrate"]);
});

test("a roll holds its nodes by names that tell them from the first site's", () => {
  const { config } = read({ secondSite: { region: "ams3" } });
  const roll = { held: ["worker-1", "second-worker-2"], userData: false };
  expect(secondSiteConfig({ ...config, roll })?.roll?.held).toEqual(["worker-2"]);
});

test.each<[string, object, object, string[]]>([
  [
    "outside of ha",
    { region: "ams3" },
    { topology: "swarm" },
    ["archipelago:secondSite must be left out: only the ha topology has a second site"],
  ],
  [
    "without a region",
    {},
    {},
    [
      "archipelago:secondSite.region is missing; it must be a DigitalOcean region slug such as ams3",
    ],
  ],
  [
    "in the same region, with a range that overlaps, and no quorum",
    { region: "fra1", vpcCidr: "10.64.8.0/22", managers: 1 },
    { vpcCidr: "10.64.0.0/20" },
    [
      'archipelago:secondSite.region must be another region than archipelago:region, got "fra1"',
      "archipelago:secondSite.vpcCidr must not overlap the first site's 10.64.0.0/20: the VPCs are peered, got 10.64.8.0/22",
      "archipelago:secondSite.managers must be 3, 5 or 7 in the ha topology: one manager keeps no quorum when it fails, got 1",
    ],
  ],
  [
    "with a range that Docker uses, and a node that it does not have",
    { region: "ams3", vpcCidr: "172.20.0.0/16", nodes: { "worker-9": { size: "s-4vcpu-8gb" } } },
    {},
    [
      "archipelago:secondSite.vpcCidr must not overlap 172.20.0.0/14, which Docker uses on every node (overlay), got 172.20.0.0/16; 10.64.0.0/11 has room",
      "archipelago:secondSite.nodes.worker-9 must be a node that its pool has: manager-1, manager-2, manager-3, worker-1, worker-2",
    ],
  ],
  [
    "for what is in one region only, or must know its clients",
    { region: "ams3" },
    {
      edge: { deny: ["203.0.113.0/24"] },
      services: {
        web: { ...web, volume: "/data", balance: "source", rateLimit: { requests: 10 } },
      },
    },
    [
      "archipelago:services.web.volume must be left out with a second site: a Volume is in one region",
      "archipelago:services.web.rateLimit must be left out with a second site: behind two balancers the edge cannot tell clients apart",
      "archipelago:services.web.balance must not be source with a second site: behind two balancers all clients look alike",
      "archipelago:edge.deny must be left out with a second site: behind two balancers the edge cannot tell clients apart",
    ],
  ],
])("a second site %s is refused", (_name, site, given, expected) => {
  expect(faults(site, given)).toEqual(expected);
});

describe("with what the account has", () => {
  const size = { slug: "s-2vcpu-4gb", vcpus: 2, priceMonthly: 24, disk: 80, memory: 4096 };
  const region = (slug: string) => ({ slug, available: true, features: [] });
  const droplet = (id: number, name: string, address: string, at: string) => ({
    id,
    name,
    size: "s-2vcpu-4gb",
    image: "debian-12-x64",
    region: at,
    disk: 80,
    ipv4Address: "203.0.113.2",
    ipv4AddressPrivate: address,
    priceMonthly: 24,
  });
  const empty: Account = {
    sizes: [{ ...size, regions: ["fra1", "ams3"], available: true }],
    regions: [region("fra1"), region("ams3")],
    image: { distribution: "Debian", regions: [] },
    imageSlugs: [],
    droplets: [],
    fleet: NO_FLEET,
    volume: undefined,
    sshKeys: [],
    reservedIp: undefined,
    zone: false,
  };
  const { config } = read({ secondSite: { region: "ams3" } });

  test("its Droplets count, for the peak, the account's limit and the cost", () => {
    const limited = { ...NO_FLEET, droplets: { limit: 10, others: 1 } };
    const account: Account = { ...empty, fleet: limited, second: empty };
    const { created, peak } = fleetPlan(config, account);
    expect(created).toHaveLength(10);
    expect(created).toContain("second-worker-2");
    expect(peak).toBe(10);
    expect(accountFaults(config, account).map(describeFault)).toEqual([
      expect.stringContaining(
        "the 9 further Droplets that the account's limit of 10 allows, got 10",
      ),
    ]);
    expect(monthlyCost(config, account).parts.slice(2, 6)).toEqual([
      { name: "5 × s-2vcpu-4gb in ams3", price: 120 },
      { name: "Load Balancer of 2 nodes in ams3", price: 24 },
      { name: "replica in ams3", price: 30 },
      { name: "Global Load Balancer", price: 15 },
    ]);
  });

  test("it must be where its Droplets are, in a region that there is", () => {
    const droplets = [droplet(1, "app-second-manager-1", "10.96.0.2", "nyc3")];
    const account: Account = { ...empty, second: { ...empty, regions: [], droplets } };
    expect(accountFaults(config, account).map(describeFault)).toEqual([
      'archipelago:secondSite.region must be a DigitalOcean region, got "ams3"; there are ',
      'archipelago:secondSite.region must stay nyc3 while manager-1 exists, got "ams3"; a stack stays where it is; bring up another stack there and move to it',
      expect.stringContaining(
        "archipelago:secondSite.vpcCidr must stay the range that holds",
      ) as string,
    ]);
  });

  test("what exists of it already is no growth", () => {
    const names = Object.keys(config.nodes);
    const first = names.map((name, index) => droplet(index, `app-${name}`, "10.65.32.2", "fra1"));
    const second = names.map((name, index) =>
      droplet(index + 9, `app-second-${name}`, "10.97.32.2", "ams3"),
    );
    const fleet = { ...NO_FLEET, droplets: { limit: 10, others: 5 } };
    const account: Account = {
      ...empty,
      droplets: first,
      fleet,
      second: { ...empty, droplets: second },
    };
    expect(accountFaults(config, account)).toEqual([]);
    expect(fleetPlan(config, account)).toMatchObject({ now: 10, peak: 10, after: 10 });
  });
});

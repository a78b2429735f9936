import { accessKeys } from "../../../infra/access-keys";
import type { Account } from "../../../infra/account";
import { NO_FLEET } from "../../../infra/account-fleet";
import { accountFaults } from "../../../infra/account-faults";
import { announcements } from "../../../infra/announcements";
import { describeCost, monthlyCost } from "../../../infra/cost";
import { describeFault } from "../../../infra/faults";
import { fleetPlan } from "../../../infra/fleet-plan";
import { readStackFile } from "../../../infra/stack-file";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M";

const size = (
  slug: string,
  vcpus: number,
  priceMonthly: number,
  disk = 80,
  regions = ["fra1"],
) => ({
  slug,
  vcpus,
  priceMonthly,
  disk,
  regions,
  available: true,
  memory: vcpus * 2048,
});

const empty: Account = {
  sizes: [
    size("s-2vcpu-4gb", 2, 24),
    size("s-4vcpu-8gb", 4, 48, 160),
    size("s-1vcpu-1gb", 1, 6, 25),
    size("s-2vcpu-2gb", 2, 18, 60, ["nyc3"]),
  ],
  regions: [
    { slug: "fra1", available: true, features: [] },
    { slug: "nyc3", available: true, features: [] },
    { slug: "nyc2", available: false, features: [] },
  ],
  image: { distribution: "Debian", regions: ["fra1"] },
  imageSlugs: [],
  droplets: [],
  volume: undefined,
  sshKeys: [],
  reservedIp: undefined,
  fleet: NO_FLEET,
  zone: false,
};

const running: Account = {
  ...empty,
  volume: { sizeGib: 20, dropletIds: [1] },
  droplets: [
    {
      id: 1,
      name: "single-node-manager-1",
      size: "s-2vcpu-4gb",
      image: "debian-12-x64",
      region: "fra1",
      disk: 80,
      ipv4Address: "203.0.113.2",
      ipv4AddressPrivate: "10.65.80.2",
      priceMonthly: 24,
    },
  ],
};

const configOf = (given: object) =>
  readStackFile(
    { region: "fra1", sshKeys: [KEY], services: {}, database: { volumeGib: 20 }, ...given },
    { stack: "single-node", env: {}, root: process.cwd() },
  ).config;
const faults = (given: object, account: Account) =>
  accountFaults(configOf(given), account).map(describeFault);
const sized = (slug: string) => ({ nodes: { "manager-1": { size: slug } } });

test.each<[string, object, Account, string[]]>([
  [
    "a region that does not exist",
    { region: "fra9" },
    empty,
    ['archipelago:region must be a DigitalOcean region, got "fra9"; there are fra1, nyc3'],
  ],
  [
    "a region that takes no more Droplets",
    { region: "nyc2" },
    empty,
    [
      'archipelago:region must be a region that takes new Droplets, got "nyc2"; there are fra1, nyc3',
      'archipelago:nodes.manager-1.size must be a Droplet size that is available in nyc2, got "s-2vcpu-4gb"; for example ',
    ],
  ],
  [
    "a size that does not exist",
    sized("s-3vcpu-4gb"),
    empty,
    [
      'archipelago:nodes.manager-1.size must be a Droplet size, got "s-3vcpu-4gb"; did you mean s-2vcpu-4gb or s-1vcpu-1gb or s-4vcpu-8gb?',
    ],
  ],
  [
    "a size that the region does not have",
    sized("s-2vcpu-2gb"),
    empty,
    [
      'archipelago:nodes.manager-1.size must be a Droplet size that is available in fra1, got "s-2vcpu-2gb"; did you mean s-2vcpu-4gb or s-1vcpu-1gb or s-4vcpu-8gb?',
    ],
  ],
  [
    "a size of the bastion that does not exist",
    { topology: "swarm", privateNodes: { bastionSize: "s-3vcpu-4gb" } },
    empty,
    [
      'archipelago:privateNodes.bastionSize must be a Droplet size, got "s-3vcpu-4gb"; did you mean s-2vcpu-4gb or s-1vcpu-1gb or s-4vcpu-8gb?',
    ],
  ],
  [
    "private nodes where they have public addresses, and a firewall would shut their operator out",
    {
      topology: "swarm",
      vpcCidr: "10.65.80.0/20",
      privateNodes: { bastionSize: "s-1vcpu-1gb" },
      managers: { count: 1, size: "s-2vcpu-4gb" },
      database: { engine: "container", volumeGib: 20 },
    },
    running,
    [
      "archipelago:privateNodes must stay false while single-node-manager-1 exists, which has a public address, got true; bring up another stack and move to it",
    ],
  ],
  [
    "an image that does not exist",
    { image: "debian-21-x64" },
    { ...empty, image: undefined, imageSlugs: ["debian-12-x64", "rockylinux-9-x64"] },
    [
      'archipelago:image must be an image that DigitalOcean has, got "debian-21-x64"; did you mean debian-12-x64?',
    ],
  ],
  [
    "an image that user data does not suit",
    { image: "rockylinux-9-x64" },
    { ...empty, image: { distribution: "Rocky Linux", regions: [] } },
    [
      'archipelago:image must be a Debian or Ubuntu image, got "rockylinux-9-x64"; for example debian-12-x64',
    ],
  ],
  [
    "an SSH key that the account does not have",
    { sshKeys: ["laptop"] },
    { ...empty, sshKeys: [{ name: "laptops", fingerprint: "aa", publicKey: KEY }] },
    [
      'archipelago:sshKeys[0] must be a public key, a path to one, or the name or fingerprint of a key in the account, got "laptop"; did you mean laptops?',
    ],
  ],
  [
    "another stack's address",
    { floatingIp: { existing: "203.0.113.5" } },
    { ...empty, reservedIp: { region: "fra1", dropletId: 99 } },
    [
      "archipelago:floatingIp.existing must not be in use by another stack's Droplet, got 203.0.113.5; it leads to Droplet 99; unassign it there first",
    ],
  ],
  [
    "a Volume that would shrink",
    { database: { volumeGib: 10 } },
    running,
    [
      "archipelago:database.volumeGib must be at least 20, the Volume's present size: a Volume never shrinks, got 10",
    ],
  ],
  [
    "a size whose disk is smaller than the Droplet's",
    sized("s-1vcpu-1gb"),
    running,
    [
      'archipelago:nodes.manager-1.size must be a size with a disk of at least 80 GB, the disk manager-1 has, got "s-1vcpu-1gb" (25 GB)',
    ],
  ],
  [
    "a move to another VPC",
    { vpcCidr: "10.66.0.0/20" },
    running,
    [
      "archipelago:vpcCidr must stay the range that holds manager-1's address 10.65.80.2, got 10.66.0.0/20; a stack stays where it is; bring up another stack there and move to it",
    ],
  ],
])("%s is refused before anything changes", (_name, given, account, expected) => {
  expect(faults(given, account).map((line) => line.split("\n")[0])).toEqual(expected);
});

test("a new image never rebuilds a running Droplet: it is refused with the way that keeps the data", () => {
  const [fault] = faults({ image: "ubuntu-24-04-x64" }, running);
  expect(fault).toContain("must stay debian-12-x64 while manager-1 runs on it");
  expect(fault).toContain(
    "pulumi destroy --target 'urn:pulumi:single-node::archipelago::archipelago:node:Node$digitalocean:index/droplet:Droplet::manager-1' --target-dependents",
  );
});

test("what is as it should be gives no fault, also when the image has lost its slug", () => {
  const withdrawn = running.droplets.map((droplet) => ({ ...droplet, image: "129211873" }));
  expect(faults({}, { ...running, droplets: withdrawn })).toEqual([]);
});

test("interruptions, final changes and a lack of backups are announced, and nothing else is", () => {
  const lack =
    "there are no backups: archipelago:backup makes them, and `npm run backup -- keygen` the key";
  expect(announcements(configOf({}), running)).toEqual([lack]);
  expect(announcements(configOf({}), empty)).toEqual([lack]);
  const change = { ...sized("s-4vcpu-8gb"), database: { volumeGib: 30 } };
  expect(announcements(configOf(change), running)).toEqual([
    "manager-1 is powered off for about a minute: s-2vcpu-4gb → s-4vcpu-8gb (its disk stays, so it can go back)",
    "Volume single-node-data grows while in use, for good: 20 GiB → 30 GiB",
    lack,
  ]);
});

test("another engine is refused while a Volume may have the container's rows, until they were moved", () => {
  const [fault] = faults({ database: { engine: "managed", volumeGib: 20 } }, running);
  expect(fault).toContain(
    'archipelago:database.engine must stay container while the container has the data, and there is no Database Cluster, got "managed"; which of these is it?',
  );
  expect(fault).toContain("set archipelago:database: { engine: container, migrateTo: managed }");
  // A cluster that somebody deleted looks the same from here.
  expect(fault).toContain(
    "The Database Cluster was lost: { engine: managed, migratedFrom: none }, run up, then npm run restore -- single-node.",
  );
  expect(
    faults({ database: { engine: "container", migrateTo: "managed", volumeGib: 20 } }, running),
  ).toEqual([]);
  expect(
    faults({ database: { engine: "managed", migratedFrom: "none", volumeGib: 20 } }, running),
  ).toEqual([]);
  expect(faults({ database: "managed" }, empty)).toEqual([]);
});

test("a Database Cluster that the stack file gives up is announced with what becomes of its data", () => {
  const database = { engine: "pg", region: "fra1", version: "15", size: "x-1gb", nodes: 1 };
  const account: Account = { ...running, fleet: { ...NO_FLEET, database } };
  const [line] = announcements(configOf({}), account);
  expect(line).toBe(
    "Database Cluster single-node-postgres is protected, so that `up` ends before it is deleted: its data is not moved",
  );
});

test("the cost is what DigitalOcean's prices say, before and after", () => {
  expect(describeCost(monthlyCost(configOf(sized("s-4vcpu-8gb")), running))).toBe(
    "Monthly cost: $26.00 now → $50.00 after (manager-1 s-4vcpu-8gb $48.00, Volume 20 GiB $2.00)",
  );
});

test("a key that the account has under another name is used and never deleted", () => {
  const there = { name: "laptop", fingerprint: "aa:bb", publicKey: `${KEY} me@laptop` };
  expect(accessKeys(configOf({}), { ...empty, sshKeys: [there] })).toEqual([
    { publicKey: KEY, fingerprint: "aa:bb" },
  ]);
  const [own] = accessKeys(configOf({}), empty);
  expect(own).toEqual({ publicKey: KEY, name: "single-node-5ec6f2fe" });
  const named = { ...there, name: String(own && "name" in own && own.name) };
  expect(accessKeys(configOf({}), { ...empty, sshKeys: [named] })).toEqual([own]);
});

describe("when several nodes are replaced", () => {
  const droplets = ["manager-1", "worker-1", "worker-2"].map((node, index) => ({
    ...running.droplets[0],
    id: index,
    name: `single-node-${node}`,
  })) as Account["droplets"];
  const limited: Account = {
    ...empty,
    droplets,
    fleet: { ...NO_FLEET, droplets: { limit: 5, others: 1 } },
  };
  const resized = {
    topology: "swarm",
    database: "none",
    managers: { count: 1, size: "s-4vcpu-8gb" },
    workers: { count: 2, size: "s-4vcpu-8gb" },
  };

  test("more Droplets than the account may have at once are refused, with the way that needs fewer", () => {
    expect(faults(resized, limited)).toEqual([
      "archipelago:managers, workers must need no more than the 1 further Droplets that the account's limit of 5 allows, got 3; " +
        "ask for a higher limit at https://cloud.digitalocean.com/account/team/droplet_limit_increase, or change fewer nodes at a time: npm run roll -- single-node",
    ]);
  });

  test("a roll needs one more, and says nothing of the nodes that it holds", () => {
    const roll = { held: ["manager-1", "worker-2"], userData: false };
    const config = { ...configOf(resized), roll };
    expect(accountFaults(config, limited)).toEqual([]);
    expect(fleetPlan(config, limited)).toMatchObject({ now: 3, peak: 4, after: 3 });
    expect(announcements(config, limited).filter((line) => line.includes("replaced"))).toEqual([
      "worker-1 is replaced by a new Droplet, which joins before the old one leaves: s-2vcpu-4gb → s-4vcpu-8gb",
    ]);
  });
});

import { LocalCloud, succeeded } from "./support/cloud";

const BASE = {
  region: "fra1",
  sshFrom: ["203.0.113.7/32"],
  domain: { name: "app.example.com", ttlSeconds: 30 },
  database: "container",
  services: { web: { image: "node:22-alpine", port: 3000, routes: ["/"] } },
};
const SINGLE = { ...BASE, topology: "single-node" };
const SWARM = { ...BASE, topology: "swarm", managers: 3, workers: 1 };

interface DnsRecord {
  readonly type: string;
  readonly data: string;
  readonly ttl: number;
}

describe("a stack that grows and shrinks, on the real engine (simulated machines)", () => {
  const cloud = new LocalCloud();
  afterAll(() => cloud.remove());

  const ids = async () => {
    const [vpcs, volumes, ips, droplets] = await Promise.all([
      cloud.api<{ vpcs: { id: string; default: boolean }[] }>("GET", "/v2/vpcs"),
      cloud.api<{ volumes: { id: string }[] }>("GET", "/v2/volumes"),
      cloud.api<{ reserved_ips: { ip: string; droplet: { id: number } | null }[] }>(
        "GET",
        "/v2/reserved_ips",
      ),
      cloud.api<{ droplets: { id: number; name: string }[] }>("GET", "/v2/droplets"),
    ]);
    return {
      vpcs: vpcs.vpcs.filter((vpc) => !vpc.default).map(({ id }) => id),
      volumes: volumes.volumes.map(({ id }) => id),
      ips: ips.reserved_ips.map(({ ip, droplet }) => [ip, droplet?.id]),
      first: droplets.droplets.find(({ name }) => name === "app-manager-1")?.id,
    };
  };
  const record = async () => {
    const zone = "/v2/domains/app.example.com/records";
    const { domain_records: all } = await cloud.api<{ domain_records: DnsRecord[] }>("GET", zone);
    return all.find(({ type }) => type === "A");
  };
  const firewalls = async () => {
    const { firewalls: all } = await cloud.api<{ firewalls: { name: string }[] }>(
      "GET",
      "/v2/firewalls",
    );
    return all.map(({ name }) => name).sort();
  };
  let before: Awaited<ReturnType<typeof ids>>;

  test("starts as one node at a Reserved IP", async () => {
    cloud.stack("app", SINGLE);
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    before = await ids();
    expect(await record()).toMatchObject({ data: before.ips[0]?.[0], ttl: 30 });
    expect(await firewalls()).toEqual(["archipelago-app", "archipelago-app-web"]);
  }, 240_000);

  test("the preview of more nodes says that the way in changes, and replaces nothing", async () => {
    cloud.stack("app", SWARM);
    const { output } = succeeded(await cloud.local("preview", "app"));
    expect(output).toMatch(/move from the Reserved IP \S+ to a Load Balancer.*waits 30 s/s);
    expect(output).not.toMatch(/to replace/);
    expect(output).toMatch(/- +digitalocean:index:Firewall +network-web +delete/);
    expect(output).toMatch(/- 1 to delete/);
  }, 120_000);

  test("the name leads to the Load Balancer before the old way is closed, and all that holds data stays", async () => {
    const { output } = succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(await ids()).toEqual(before);
    const { load_balancers: balancers } = await cloud.api<{ load_balancers: { ip: string }[] }>(
      "GET",
      "/v2/load_balancers",
    );
    expect(await record()).toMatchObject({ data: balancers[0]?.ip });
    expect(output).toMatch(/waiting for resolvers to forget/);
    const moved = output.search(/AddressChange dns updated/);
    expect(moved).toBeGreaterThan(output.search(/DnsRecord dns-app.example.com updated/));
    expect(output.search(/Firewall network-web deleting/)).toBeGreaterThan(moved);
    expect(await firewalls()).toEqual(["archipelago-app", "archipelago-app-front"]);
    succeeded(await cloud.local("preview", "app", "--expect-no-changes"));
  }, 300_000);

  test("and back: the same node, Volume and address, the name led back before the Load Balancer goes", async () => {
    cloud.stack("app", SINGLE);
    const { output } = succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(await ids()).toEqual(before);
    expect(await record()).toMatchObject({ data: before.ips[0]?.[0] });
    const moved = output.search(/AddressChange dns updated/);
    expect(output.search(/LoadBalancer front deleting/)).toBeGreaterThan(moved);
    expect(moved).toBeGreaterThan(0);
    expect(await firewalls()).toEqual(["archipelago-app", "archipelago-app-web"]);
    succeeded(await cloud.local("preview", "app", "--expect-no-changes"));
  }, 300_000);
});

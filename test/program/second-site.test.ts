import { LocalCloud, succeeded } from "./support/cloud";

const fleet = {
  topology: "ha",
  region: "fra1",
  sshFrom: ["203.0.113.7/32"],
  managers: 3,
  workers: 0,
  // An `up` that moves the name waits for so long.
  domain: { name: "app.example.com", ttlSeconds: 30 },
  services: { web: { image: "node:22-alpine", port: 3000, routes: ["/"] } },
};

interface State {
  readonly deployment: { readonly resources: readonly { urn: string; id?: string }[] };
}

describe("a second site, on the real engine (simulated machines)", () => {
  const cloud = new LocalCloud();
  const list = async <T>(path: string) =>
    Object.values(await cloud.api<Record<string, T[]>>("GET", `/v2/${path}?per_page=200`))[0] ?? [];
  const state = async () => {
    const exported = succeeded(await cloud.local("stack", "export", "app"));
    const { deployment } = JSON.parse(exported.stdout) as State;
    return new Map(deployment.resources.map(({ urn, id }) => [urn, id]));
  };

  afterAll(() => cloud.remove());

  test("joins a stack that runs, replaces nothing of it, and a second preview changes nothing", async () => {
    cloud.stack("app", fleet);
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    const before = await state();

    cloud.stack("app", { ...fleet, secondSite: { region: "ams3", managers: 3, workers: 1 } });
    const up = succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(up.output).toContain("Droplets: 3 now → 7 after");
    const after = await state();
    for (const [urn, id] of before) expect([urn, after.get(urn)]).toEqual([urn, id]);

    const droplets = await list<{ name: string; region: { slug: string } }>("droplets");
    const there = droplets.filter(({ region }) => region.slug === "ams3").map(({ name }) => name);
    expect(there.sort()).toEqual([
      "app-second-manager-1",
      "app-second-manager-2",
      "app-second-manager-3",
      "app-second-worker-1",
    ]);
    expect(await list<object>("vpc_peerings")).toHaveLength(1);
    const balancers = await list<{ type: string; name: string; ip: string }>("load_balancers");
    const global = balancers.find(({ type }) => type === "GLOBAL");
    expect(balancers).toHaveLength(3);
    const records = await list<{ type: string; data: string }>("domains/app.example.com/records");
    expect(records.find(({ type }) => type === "A")?.data).toBe(global?.ip);
    succeeded(await cloud.local("preview", "app", "--refresh", "--expect-no-changes"));
  }, 600_000);

  test("goes again, and the first site stays", async () => {
    const before = await state();
    cloud.stack("app", fleet);
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    const after = await state();
    for (const [urn, id] of after) expect([urn, before.get(urn)]).toEqual([urn, id]);
    const droplets = await list<{ name: string }>("droplets");
    expect(droplets.map(({ name }) => name).sort()).toEqual([
      "app-manager-1",
      "app-manager-2",
      "app-manager-3",
    ]);
    expect(await list<object>("vpc_peerings")).toEqual([]);
    expect(await list<object>("load_balancers")).toHaveLength(1);
  }, 600_000);
});

import { LocalCloud, succeeded } from "./support/cloud";

const fleet = {
  topology: "ha",
  region: "fra1",
  sshFrom: ["203.0.113.7/32"],
  managers: 3,
  workers: 2,
  domain: "app.example.com",
  registry: "digitalocean",
  privateNodes: true,
  services: {
    web: { image: "node:22-alpine", port: 3000, routes: ["/"] },
    api: { image: "node:22-alpine", port: 3000, routes: ["/api"], database: "own" },
  },
};

interface Droplets {
  readonly droplets: readonly {
    readonly id: number;
    readonly name: string;
    readonly networks: { readonly v4: readonly { readonly type: string }[] };
  }[];
}

describe("a fleet through its life, on the real engine (simulated machines)", () => {
  const cloud = new LocalCloud();
  const droplets = async () => {
    const { droplets: all } = await cloud.api<Droplets>("GET", "/v2/droplets");
    return Object.fromEntries(all.map(({ id, name }) => [name, id]));
  };

  afterAll(() => cloud.remove());

  test("ha comes up, with all that a fleet can have, and a second preview changes nothing", async () => {
    cloud.stack("app", fleet);
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(Object.keys(await droplets()).sort()).toEqual([
      "app-bastion",
      "app-manager-1",
      "app-manager-2",
      "app-manager-3",
      "app-worker-1",
      "app-worker-2",
    ]);
    const { droplets: all } = await cloud.api<Droplets>("GET", "/v2/droplets");
    const open = all.filter(({ networks }) => networks.v4.some(({ type }) => type === "public"));
    expect(open.map(({ name }) => name)).toEqual(["app-bastion"]);
    succeeded(await cloud.local("preview", "app", "--refresh", "--expect-no-changes"));
  }, 240_000);

  test("a retired manager is replaced by the next one, and every other node stays", async () => {
    const before = await droplets();
    cloud.stack("app", { ...fleet, nodes: { "manager-1": { retired: true } }, workers: 1 });
    const up = succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(up.output).toMatch(/Droplets: 6 now → 5 after, 7 at most in between/);
    const after = await droplets();
    expect(Object.keys(after).sort()).toEqual([
      "app-bastion",
      "app-manager-2",
      "app-manager-3",
      "app-manager-4",
      "app-worker-1",
    ]);
    for (const name of ["app-manager-2", "app-manager-3", "app-worker-1"]) {
      expect(after[name]).toBe(before[name]);
    }
  }, 240_000);

  test("up makes another bastion when somebody removed it, though it was told to ask the nodes behind it", async () => {
    const before = await droplets();
    await cloud.api("DELETE", `/v2/droplets/${before["app-bastion"]}`);
    const up = succeeded(await cloud.local("up", "app", "--yes", "--skip-preview", "--refresh"));
    expect(up.output).toContain(
      `bastion: Droplet ${before["app-bastion"]} does not exist any more; up makes another one`,
    );
    const after = await droplets();
    expect(after["app-bastion"]).not.toBe(before["app-bastion"]);
    expect(after).toEqual({ ...before, "app-bastion": after["app-bastion"] });
  }, 240_000);

  test("destroy leaves nothing behind", async () => {
    succeeded(await cloud.local("destroy", "app", "--yes", "--skip-preview"));
    expect(await droplets()).toEqual({});
    expect(await cloud.api("GET", "/v2/vpc_nat_gateways")).toMatchObject({ vpc_nat_gateways: [] });
  }, 240_000);
});

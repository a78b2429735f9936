import { LocalCloud, succeeded } from "./support/cloud";

const web = { image: "node:22-alpine", port: 3000, routes: ["/"] };

describe("bad input ends before anything changes", () => {
  const cloud = new LocalCloud();

  afterAll(() => cloud.remove());

  test("every fault of a stack file is in one report, and DigitalOcean is asked for no change", async () => {
    cloud.stack("bad", {
      topology: "single-node",
      region: "fra9",
      vpcCidr: "10.0.0.0/8",
      nodes: { "manager-1": { size: "s-3vcpu-4gb" } },
      services: { web: { ...web, port: 0 }, api: { ...web, colour: "red" } },
      databse: "none",
    });
    const up = await cloud.local("up", "bad", "--yes");
    expect(up.code).not.toBe(0);
    for (const fault of [
      /archipelago:region .*fra9/,
      /archipelago:vpcCidr .*10\.0\.0\.0\/8/,
      /archipelago:nodes\.manager-1\.size .*s-3vcpu-4gb/,
      /archipelago:services\.web\.port .*0/,
      /archipelago:services\.api\.colour/,
      /archipelago:databse/,
    ]) {
      expect(up.output).toMatch(fault);
    }
    expect(await cloud.api("GET", "/v2/droplets")).toMatchObject({ droplets: [] });
    expect(await cloud.api("GET", "/v2/tags")).toMatchObject({ tags: [] });
  }, 120_000);

  test("a stack that has no file is named, with those that have one", async () => {
    const up = await cloud.local("up", "nowhere", "--yes");
    expect(up.code).not.toBe(0);
    expect(up.output).toMatch(/There is no stack "nowhere": stacks\/ has bad\./);
  }, 60_000);

  test("500 and 429 midway: retried or reported, what was made is in the state, and up again finishes", async () => {
    cloud.stack("app", {
      topology: "single-node",
      region: "fra1",
      sshFrom: ["203.0.113.7/32"],
      services: { web },
      // Else the last of the retries begins two minutes after the first.
      "digitalocean:httpRetryWaitMax": "0.1",
    });
    await cloud.api("POST", "/_local/faults", {
      faults: [
        { method: "POST", path: "/v2/vpcs", status: 429, times: 1 },
        { method: "POST", path: "/v2/droplets", status: 500, times: 50 },
      ],
    });
    const first = await cloud.local("up", "app", "--yes");
    expect(first.code).not.toBe(0);
    expect(first.output).toMatch(/500/);
    await cloud.api("POST", "/_local/faults", { faults: [] });
    const second = await cloud.local("up", "app", "--yes");
    succeeded(second);
    const { droplets } = await cloud.api<{ droplets: unknown[] }>("GET", "/v2/droplets");
    expect(droplets).toHaveLength(1);
  }, 240_000);
});

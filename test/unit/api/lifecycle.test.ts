// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call */
import type { NetworkSpec } from "../../../local/machines/machines";
import { Simulated } from "../../../local/machines/simulated";
import { TestApi } from "./harness";

/** Machines whose methods tests hold up, fail and watch. */
class Watched extends Simulated {
  readonly calls: string[] = [];
  readonly networks: NetworkSpec[] = [];
  failWith: string | undefined;
  held: Promise<void> | undefined;

  override async createDroplet(droplet: Parameters<Simulated["createDroplet"]>[0]): Promise<void> {
    this.calls.push(`create ${droplet.name}`);
    await this.held;
    if (this.failWith) throw new Error(this.failWith);
    await super.createDroplet(droplet);
  }

  override async destroyDroplet(id: number): Promise<void> {
    this.calls.push("destroy");
    if (this.failWith) throw new Error(this.failWith);
    await super.destroyDroplet(id);
  }

  override applyNetwork(network?: NetworkSpec): Promise<void> {
    if (network) this.networks.push(network);
    this.calls.push("network");
    return Promise.resolve();
  }
}

const body = { name: "web-1", region: "nyc3", size: "s-1vcpu-1gb", image: "debian-12-x64" };

describe("a Droplet's life", () => {
  let test: TestApi;
  let machines: Watched;
  beforeEach(async () => {
    machines = new Watched();
    test = await TestApi.start({ machines });
  });
  afterEach(() => test.stop());

  it("without a public address is cut off from the world, but for the time that its VPC has a way out", async () => {
    const vpc = await test.post("/v2/vpcs", { name: "private", region: "nyc3" });
    const vpc_uuid = vpc.body.vpc.id as string;
    await test.droplet({ region: "nyc3", vpc_uuid, public_networking: false });
    const isCutOff = () => machines.networks.at(-1)?.droplets.map((each) => each.isCutOff);
    expect(isCutOff()).toEqual([true]);
    const { body: gateway } = await test.post("/v2/vpc_nat_gateways", {
      ...{ name: "out", type: "PUBLIC", region: "nyc3", size: 1 },
      vpcs: [{ vpc_uuid, default_gateway: true }],
    });
    const path = `/v2/vpc_nat_gateways/${gateway.vpc_nat_gateway.id}`;
    await test.until(path, (answer) => answer.body.vpc_nat_gateway.state === "ACTIVE");
    expect(isCutOff()).toEqual([false]);
    await test.delete(path);
    await test.until(path, ({ status }) => status === 404);
    expect(isCutOff()).toEqual([true]);
  });

  it("new without addresses until its body runs, then active; its Firewall is there before it", async () => {
    let release = (): void => undefined;
    machines.held = new Promise((resolve) => (release = resolve));
    const { body: created } = await test.post("/v2/droplets", body);
    expect(created.droplet).toMatchObject({ status: "new", networks: { v4: [], v6: [] } });
    const path = `/v2/droplets/${created.droplet.id}`;
    const refused = await test.post(`${path}/actions`, { type: "reboot" });
    expect(refused.body.message).toBe("Droplet already has a pending event.");
    release();
    const { body: after } = await test.until(
      path,
      (answer) => answer.body.droplet.status !== "new",
    );
    expect(after.droplet.status).toBe("active");
    expect(after.droplet.networks.v4.map((each: { type: string }) => each.type)).toEqual([
      "public",
      "private",
    ]);
    expect(machines.calls.slice(0, 2)).toEqual(["network", "create web-1"]);
  });

  it("whose body cannot be made errs visibly instead of staying new for ever", async () => {
    machines.failWith = "no space left on the host";
    const { body: created } = await test.post("/v2/droplets", body);
    const action = await test.settled({
      status: 201,
      headers: {},
      body: { action: { id: created.links.actions[0].id } },
    });
    expect(action.body.action.status).toBe("errored");
    const { body: state } = await test.get("/_local/state");
    expect(state.droplets[0]).toMatchObject({
      status: "off",
      failure: "no space left on the host",
    });
    machines.failWith = undefined;
    expect((await test.delete(`/v2/droplets/${created.droplet.id}`)).status).toBe(204);
  });

  it("that cannot be destroyed is still there, with an error", async () => {
    const { id } = await test.droplet();
    machines.failWith = "busy";
    expect((await test.delete(`/v2/droplets/${id}`)).status).toBe(500);
    expect((await test.get(`/v2/droplets/${id}`)).status).toBe(200);
  });

  it("takes its Reserved IP's assignment, its attachment and its Firewall rules with it", async () => {
    const { id } = await test.droplet();
    const { body: created } = await test.post("/v2/reserved_ips", { droplet_id: id });
    const ip = created.reserved_ip.ip as string;
    await test.until(
      `/v2/reserved_ips/${ip}`,
      (answer) => answer.body.reserved_ip.droplet?.id === id,
    );
    expect(machines.networks.at(-1)?.addresses).toContainEqual({ address: ip, dropletId: id });
    await test.delete(`/v2/droplets/${id}`);
    expect((await test.get(`/v2/reserved_ips/${ip}`)).body.reserved_ip.droplet).toBeNull();
    expect(machines.networks.at(-1)).toMatchObject({ droplets: [], addresses: [] });
  });

  it("with DigitalOcean-like waits a deleted Droplet stays visible for a while", async () => {
    const { id } = await test.droplet();
    await test.post("/_local/progress", { progress: 1000 });
    expect((await test.delete(`/v2/droplets/${id}`)).status).toBe(204);
    expect((await test.get(`/v2/droplets/${id}`)).body.droplet.status).toBe("active");
  });

  it("resizes only when off, keeps its disk when asked to, and never shrinks it", async () => {
    const { id } = await test.droplet({ size: "s-1vcpu-1gb" });
    const act = (input: object) => test.post(`/v2/droplets/${id}/actions`, input);
    const resize = (size: string, disk: boolean) => act({ type: "resize", size, disk });
    expect((await resize("s-2vcpu-4gb", false)).body.message).toBe(
      "Droplet is currently on. Please power it off to run this event.",
    );
    await test.settled(await act({ type: "power_off" }));
    await test.settled(await resize("s-2vcpu-4gb", false));
    const kept = (await test.get(`/v2/droplets/${id}`)).body.droplet;
    expect(kept).toMatchObject({ size_slug: "s-2vcpu-4gb", vcpus: 2, disk: 25, status: "off" });
    await test.settled(await resize("s-1vcpu-2gb", true));
    expect((await test.get(`/v2/droplets/${id}`)).body.droplet.disk).toBe(50);
    expect((await resize("s-1vcpu-1gb", false)).body.message).toBe(
      "This size is not available because it has a smaller disk.",
    );
  });
});

it("changes that come together are told to the machines together", async () => {
  const machines = new Watched();
  const test = await TestApi.start({ machines });
  const droplet = await test.droplet({ tags: ["a"] });
  const before = machines.networks.length;
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      test.post("/v2/firewalls", {
        name: `f${i}`,
        droplet_ids: [droplet.id],
        inbound_rules: [{ protocol: "tcp", ports: "80", sources: { addresses: ["0.0.0.0/0"] } }],
      }),
    ),
  );
  expect(machines.networks.at(-1)?.firewalls).toHaveLength(20);
  expect(machines.networks.length - before).toBeLessThanOrEqual(20);
  await test.stop();
});

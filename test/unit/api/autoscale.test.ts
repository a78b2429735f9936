// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment */
import { Simulated } from "../../../local/machines/simulated";
import { sshKey, TestApi } from "./harness";

const PATH = "/v2/droplets/autoscale";

interface Member {
  readonly droplet_id: number;
  readonly status: string;
}

describe("a Droplet autoscale pool", () => {
  let api: TestApi;
  let template: Record<string, unknown>;

  const begin = async (options: Parameters<typeof TestApi.start>[0] = {}) => {
    api = await TestApi.start(options);
    const key = await api.post("/v2/account/keys", { name: "operator", public_key: sshKey });
    template = {
      region: "fra1",
      size: "s-1vcpu-1gb",
      image: "debian-12-x64",
      ssh_keys: [String(key.body.ssh_key.id)],
    };
  };
  afterEach(() => api.stop());

  const make = async (config: object, more: object = {}) => {
    const body = { name: "web", config, droplet_template: { ...template, ...more } };
    const answer = await api.post(PATH, body);
    expect(answer.status).toBe(202);
    return answer.body.autoscale_pool.id as string;
  };
  const change = (id: string, config: object, more: object = {}) =>
    api.put(`${PATH}/${id}`, {
      name: "web",
      config,
      droplet_template: { ...template, ...more },
    });
  const members = async (id: string) =>
    (await api.get(`${PATH}/${id}/members`)).body.droplets as readonly Member[];
  const ids = async (id: string) => (await members(id)).map((member) => member.droplet_id);
  /** Waits until nothing is under way, and answers the pool's last event. */
  const settled = async (id: string) => {
    const { body } = await api.until(
      `${PATH}/${id}/history`,
      (answer) => answer.body.history[0].status !== "in_progress",
    );
    return body.history[0] as Record<string, unknown>;
  };
  const names = async () =>
    ((await api.get("/v2/droplets")).body.droplets as { name: string }[]).map(({ name }) => name);

  it("of a fixed number has as many Droplets as that, after each change of it", async () => {
    await begin();
    const id = await make({ target_number_instances: 3 });
    expect(await settled(id)).toMatchObject({
      reason: "CONFIGURATION_CHANGE",
      desired_instance_count: 3,
      current_instance_count: 3,
      status: "success",
    });
    const three = await ids(id);
    expect(three).toHaveLength(3);
    for (const name of await names()) expect(name).toMatch(/^web-[0-9a-f-]{36}-00[123]$/);

    await change(id, { target_number_instances: 1 });
    await settled(id);
    expect(await ids(id)).toEqual(three.slice(2));
    expect((await api.get("/v2/droplets")).body.meta.total).toBe(1);

    await change(id, { target_number_instances: 4 });
    await settled(id);
    expect(await ids(id)).toHaveLength(4);
    expect((await api.get(`${PATH}/${id}`)).body.autoscale_pool.active_resources_count).toBe(4);
  });

  it("by load begins with the fewest, and stays within its limits: no load is measured here", async () => {
    await begin();
    const id = await make({ min_instances: 2, max_instances: 5, target_cpu_utilization: 0.5 });
    await settled(id);
    expect(await ids(id)).toHaveLength(2);
    await change(id, { min_instances: 4, max_instances: 5 });
    await settled(id);
    expect(await ids(id)).toHaveLength(4);
    await change(id, { min_instances: 1, max_instances: 3 });
    await settled(id);
    expect(await ids(id)).toHaveLength(3);
  });

  it("replaces its Droplets when their template changes: the new ones run before the old ones go", async () => {
    let most = 0;
    const running = new Set<number>();
    class Counting extends Simulated {
      override createDroplet(droplet: Parameters<Simulated["createDroplet"]>[0]) {
        running.add(droplet.id);
        most = Math.max(most, running.size);
        return super.createDroplet(droplet);
      }
      override destroyDroplet(id: number) {
        running.delete(id);
        return super.destroyDroplet(id);
      }
    }
    await begin({ machines: new Counting() });
    const id = await make({ target_number_instances: 2 });
    await settled(id);
    const before = await ids(id);
    await change(id, { target_number_instances: 2 }, { size: "s-2vcpu-4gb" });
    await settled(id);
    const after = await ids(id);
    expect(after).toHaveLength(2);
    expect(after.filter((each) => before.includes(each))).toEqual([]);
    expect(most).toBe(4);
    expect(running).toEqual(new Set(after));
    const { droplet } = (await api.get(`/v2/droplets/${after[0]}`)).body;
    expect(droplet.size_slug).toBe("s-2vcpu-4gb");
  });

  it("keeps its Droplets when a change says the same of them in other words", async () => {
    await begin();
    const id = await make({ target_number_instances: 2 });
    await settled(id);
    const before = await ids(id);
    const { droplet_template: shown } = (await api.get(`${PATH}/${id}`)).body.autoscale_pool;
    expect(shown.image).toMatch(/^\d+$/);
    await change(id, { target_number_instances: 2 }, { image: shown.image, vpc_uuid: "" });
    await settled(id);
    expect(await ids(id)).toEqual(before);
  });

  it("makes another Droplet for one that somebody destroys", async () => {
    await begin();
    const id = await make({ target_number_instances: 2 });
    await settled(id);
    const [first, second] = await ids(id);
    await api.delete(`/v2/droplets/${first}`);
    await api.until(`${PATH}/${id}/members`, ({ body }) => {
      const found = body.droplets as readonly Member[];
      return found.length === 2 && found.every(({ status }) => status === "active");
    });
    expect(await settled(id)).toMatchObject({ reason: "SCALE_UP", status: "success" });
    expect(await ids(id)).toContain(second);
    expect(await ids(id)).not.toContain(first);
  });

  it("leaves its Droplets behind when it is deleted, unless danger was agreed to", async () => {
    await begin();
    const id = await make({ target_number_instances: 2 });
    await settled(id);
    const left = await ids(id);
    expect((await api.delete(`${PATH}/${id}`)).status).toBe(202);
    expect((await api.get(`${PATH}/${id}`)).status).toBe(404);
    expect((await api.get("/v2/droplets")).body.meta.total).toBe(2);
    // They are nobody's now.
    await api.delete(`/v2/droplets/${left[0]}`);
    expect((await api.get("/v2/droplets")).body.meta.total).toBe(1);

    const second = await make({ target_number_instances: 2 });
    await settled(second);
    const dangerous = { "x-dangerous": "true" };
    await api.call("DELETE", `${PATH}/${second}/dangerous`, undefined, dangerous);
    expect((await api.get(`${PATH}/${second}`)).status).toBe(404);
    expect((await api.get("/v2/droplets")).body.meta.total).toBe(1);
  });

  it("waits as DigitalOcean does, and goes on with that after a restart", async () => {
    await begin({ progress: 0.01 });
    const id = await make({ target_number_instances: 1 });
    await settled(id);
    const [before] = await ids(id);
    await change(id, { target_number_instances: 1 }, { size: "s-2vcpu-4gb" });
    // 10 minutes of cooldown, a minute to shut down: a hundredth of that here.
    await api.until(
      `${PATH}/${id}`,
      ({ body }) => body.autoscale_pool.active_resources_count === 2,
    );
    const { stateDir } = api;
    await api.api.close();
    api = await TestApi.start({ stateDir, progress: "immediate" });
    expect(await settled(id)).toMatchObject({ status: "success" });
    expect(await ids(id)).toHaveLength(1);
    expect(await ids(id)).not.toContain(before);
  });

  it("is refused as a whole when its Droplets would be", async () => {
    await begin({ limits: { droplets: 2 } });
    const faulty: [object, object, string][] = [
      [{ target_number_instances: 3 }, {}, "exceed your droplet limit"],
      [{ target_number_instances: 1 }, { image: "beos-5" }, "invalid image"],
      [{ target_number_instances: 1 }, { ssh_keys: ["77"] }, "77 are invalid key identifiers"],
      [{ target_number_instances: 1 }, { region: "moon1" }, "region is invalid"],
      [{ target_number_instances: 1, min_instances: 1 }, {}, "min_instances"],
      [{ min_instances: 1 }, {}, "max_instances"],
      [{ min_instances: 1, max_instances: 2, cooldown_minutes: 4 }, {}, "from 5 to 20"],
    ];
    for (const [config, more, message] of faulty) {
      const body = { name: "web", config, droplet_template: { ...template, ...more } };
      const answer = await api.post(PATH, body);
      expect([answer.status, answer.body.message]).toEqual([422, expect.stringContaining(message)]);
    }
    expect((await api.get(PATH)).body.autoscale_pools).toEqual([]);
    expect((await api.get("/v2/droplets")).body.droplets).toEqual([]);

    const id = await make({ target_number_instances: 2 });
    await settled(id);
    const refused = await change(id, { target_number_instances: 3 });
    expect(refused.status).toBe(422);
    const { config } = (await api.get(`${PATH}/${id}`)).body.autoscale_pool;
    expect(config).toEqual({ target_number_instances: 2 });
  });
});

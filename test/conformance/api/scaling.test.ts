// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment */
import { sshKey } from "../../unit/api/harness";
import { built, notBuilt } from "./built";
import { describeAnswers } from "./caller";

describeAnswers((caller) => {
  const { call, faults } = caller;

  it("of Droplet autoscale pools, of a fixed number and by load", async () => {
    const path = "/v2/droplets/autoscale";
    const { ssh_key: key } = await call("POST", "/v2/account/keys", 201, {
      name: "operator",
      public_key: sshKey,
    });
    const template = {
      region: "fra1",
      size: "s-1vcpu-1gb",
      image: "debian-12-x64",
      ssh_keys: [key.fingerprint],
      tags: ["pool"],
      with_droplet_agent: true,
      user_data: "#cloud-config\n{}\n",
    };
    const wanted = {
      name: "web",
      config: { target_number_instances: 2 },
      droplet_template: template,
    };
    await call("POST", path, 422, { ...wanted, config: { target_number_instances: 0 } });
    await call("POST", path, 422, { ...wanted, config: { min_instances: 3, max_instances: 2 } });
    await call("POST", path, 422, { ...wanted, droplet_template: { ...template, ssh_keys: [] } });
    const { autoscale_pool: made } = await call("POST", path, 202, wanted);
    const one = `${path}/${made.id}`;
    await caller.test.until(one, ({ body }) => body.autoscale_pool.active_resources_count === 2);
    await call("GET", one, 200);
    await call("GET", `${path}?name=web`, 200);
    const { droplets } = await call("GET", `${one}/members`, 200);
    expect(droplets).toHaveLength(2);
    const { droplet } = await call("GET", `/v2/droplets/${droplets[0].droplet_id}`, 200);
    expect(droplet.tags).toEqual(["pool"]);
    await caller.test.until(
      `${one}/history`,
      ({ body }) => (body.history[0].status as string) === "success",
    );
    await call("GET", `${one}/history`, 200);

    await call("PUT", one, 422, { ...wanted, name: "other" });
    const { autoscale_pool: byLoad } = await call("PUT", one, 200, {
      ...wanted,
      config: { min_instances: 1, max_instances: 3, target_cpu_utilization: 0.5 },
    });
    expect(byLoad.config).toEqual({
      min_instances: 1,
      max_instances: 3,
      target_cpu_utilization: 0.5,
    });
    const { message } = await call("GET", `${path}/nothing`, 404);
    expect(message).toBe("autoscale group with id nothing not found");
    await call("DELETE", `${one}/dangerous`, 400);
    await call("DELETE", `${one}/dangerous`, 202, undefined, { "x-dangerous": "true" });
    await caller.test.until(one, ({ status }) => status === 404);
    await call("GET", `/v2/droplets/${droplets[0].droplet_id}`, 404);

    const { autoscale_pool: second } = await call("POST", path, 202, wanted);
    await call("DELETE", `${path}/${second.id}`, 202);
    expect(faults).toEqual([]);
  });

  it("of every operation on autoscale pools", () => {
    expect(caller.missing(built.scaling, notBuilt)).toEqual([]);
  });
});

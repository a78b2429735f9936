import * as digitalocean from "@pulumi/digitalocean";
import { sshKey } from "../../unit/api/harness";
import { hasEngine, Laboratory, run } from "./stack";

if (!hasEngine) {
  console.log("skipped: the Pulumi engine has not been set up");
}

(hasEngine ? describe : describe.skip)("an autoscale pool on the real engine", () => {
  let laboratory: Laboratory;
  beforeAll(async () => {
    laboratory = await Laboratory.open();
  });
  afterAll(() => laboratory.close());

  const droplets = async () =>
    (await laboratory.request<{ droplets: { size_slug: string }[] }>("GET", "/droplets")).droplets;

  test("comes up once, changes in place, and goes with its Droplets", async () => {
    let wanted = { count: 2, size: "s-1vcpu-1gb" };
    const stack = await laboratory.stack("autoscale", async () => {
      const key = new digitalocean.SshKey("key", { publicKey: sshKey });
      new digitalocean.DropletAutoscale("pool", {
        config: { targetNumberInstances: wanted.count },
        dropletTemplate: {
          region: "fra1",
          size: wanted.size,
          image: "debian-12-x64",
          sshKeys: [key.fingerprint],
          tags: ["pool"],
        },
      });
      return Promise.resolve({});
    });
    expect(await run(stack, "up")).toEqual(["create DropletAutoscale", "create SshKey"]);
    expect(await droplets()).toHaveLength(2);
    expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
    expect(await run(stack, "refresh")).toEqual([]);

    wanted = { count: 3, size: "s-2vcpu-4gb" };
    expect(await run(stack, "up")).toEqual(["update DropletAutoscale"]);
    expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
    const deadline = Date.now() + 10_000;
    const sizes = async () => (await droplets()).map((droplet) => droplet.size_slug);
    while ((await sizes()).includes("s-1vcpu-1gb")) {
      if (Date.now() > deadline) throw new Error("the old Droplets stay");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await droplets()).toHaveLength(3);

    await run(stack, "destroy");
    expect(await droplets()).toEqual([]);
  }, 120_000);
});

import { LocalCloud, succeeded } from "./support/cloud";

const SIZE_4 = { "manager-1": { size: "s-4vcpu-8gb" } };
const minimal = {
  topology: "single-node",
  region: "fra1",
  sshFrom: ["203.0.113.7/32"],
  services: { web: { image: "node:22-alpine", port: 3000, routes: ["/"] } },
};

interface Droplets {
  readonly droplets: readonly { id: number; name: string; size_slug: string; status: string }[];
}

describe("a stack through its life, on the real engine (simulated machines)", () => {
  const cloud = new LocalCloud();
  const droplets = async () => (await cloud.api<Droplets>("GET", "/v2/droplets")).droplets;

  afterAll(() => cloud.remove());

  test("a minimal stack comes up, and says that simulated machines serve nothing", async () => {
    cloud.stack("app", minimal);
    const up = await cloud.local("up", "app", "--yes", "--skip-preview");
    expect(up.output).toContain("not served: simulated machine");
    succeeded(up);
    expect(await droplets()).toMatchObject([{ status: "active", size_slug: "s-2vcpu-4gb" }]);
  }, 120_000);

  test("a second preview changes nothing, and so does a refresh", async () => {
    const preview = await cloud.local("preview", "app", "--expect-no-changes");
    succeeded(preview);
    const refresh = await cloud.local("refresh", "app", "--yes", "--expect-no-changes");
    succeeded(refresh);
  }, 120_000);

  test("the preview of a resize announces the power-off and the cost before and after", async () => {
    cloud.stack("app", { ...minimal, nodes: SIZE_4 });
    const preview = await cloud.local("preview", "app");
    expect(preview.output).toMatch(/manager-1.*powered off.*s-2vcpu-4gb → s-4vcpu-8gb/s);
    expect(preview.output).toMatch(/\$\d+\.\d\d.*→.*\$\d+\.\d\d/);
    expect(preview.output).not.toMatch(/replace/);
  }, 120_000);

  test("a resize up and back keeps the Droplet", async () => {
    const [before] = await droplets();
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(await droplets()).toMatchObject([{ id: before?.id, size_slug: "s-4vcpu-8gb" }]);
    cloud.stack("app", minimal);
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(await droplets()).toMatchObject([{ id: before?.id, size_slug: "s-2vcpu-4gb" }]);
  }, 180_000);

  test("what was removed behind Pulumi's back comes back by refresh and up, and nothing else moves", async () => {
    const [before] = await droplets();
    const { volumes } = await cloud.api<{ volumes: { id: string; region: { slug: string } }[] }>(
      "GET",
      "/v2/volumes",
    );
    const [volume] = volumes;
    await cloud.api("POST", `/v2/volumes/${volume?.id}/actions`, {
      type: "detach",
      droplet_id: before?.id,
      region: volume?.region.slug,
    });
    succeeded(await cloud.local("refresh", "app", "--yes"));
    const up = await cloud.local("up", "app", "--yes", "--skip-preview");
    succeeded(up);
    expect(up.output).toMatch(/\+ 1 created/);
    expect(await droplets()).toMatchObject([{ id: before?.id }]);
  }, 180_000);

  test("another image is refused before anything changes, with the way to do it", async () => {
    const [before] = await droplets();
    cloud.stack("app", { ...minimal, image: "ubuntu-24-04-x64" });
    const up = await cloud.local("up", "app", "--yes", "--skip-preview");
    expect(up.code).not.toBe(0);
    expect(up.output).toMatch(/image/);
    expect(await droplets()).toMatchObject([{ id: before?.id, status: "active" }]);
    cloud.stack("app", minimal);
  }, 120_000);

  test("destroy leaves nothing in the account", async () => {
    succeeded(await cloud.local("destroy", "app", "--yes"));
    expect(await droplets()).toEqual([]);
    for (const [resource, root] of [
      ["/v2/volumes", "volumes"],
      ["/v2/firewalls", "firewalls"],
      ["/v2/reserved_ips", "reserved_ips"],
      ["/v2/account/keys", "ssh_keys"],
    ] as const) {
      expect((await cloud.api(`GET`, resource))[root]).toEqual([]);
    }
  }, 120_000);
});

import type * as automation from "@pulumi/pulumi/automation";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { hasEngine, Laboratory, run } from "./stack";

if (!hasEngine) {
  console.log("skipped: the Pulumi engine has not been set up");
}

const PUBLIC_KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M test";

interface Settings {
  readonly size?: string;
  readonly volumeSize?: number;
  readonly userData?: string;
  readonly dropletName?: string;
  readonly ports?: string;
  readonly tags?: readonly string[];
}

const volumeOf = (size: number) =>
  new digitalocean.Volume("data", { region: "fra1", size, initialFilesystemType: "xfs" });

/** Everything the project creates, on one Droplet. */
const program = (settings: Settings) => async () => {
  const vpc = new digitalocean.Vpc("net", { region: "fra1", ipRange: "10.7.0.0/24" });
  const key = new digitalocean.SshKey("key", { publicKey: PUBLIC_KEY });
  const tags = (settings.tags ?? ["web"]).map((name) => new digitalocean.Tag(name, { name }));
  const droplet = new digitalocean.Droplet("node", {
    ...(settings.dropletName ? { name: settings.dropletName } : {}),
    image: "debian-12-x64",
    region: "FRA1",
    size: settings.size ?? "s-1vcpu-1gb",
    resizeDisk: false,
    vpcUuid: vpc.id,
    sshKeys: [key.fingerprint],
    userData: pulumi.secret(settings.userData ?? "#cloud-config\n{}\n"),
    tags: tags.map((tag) => tag.name),
  });
  const dropletId = droplet.id.apply(Number);
  const volume = volumeOf(settings.volumeSize ?? 1);
  new digitalocean.VolumeAttachment("data", { dropletId, volumeId: volume.id });
  const address = new digitalocean.ReservedIp("address", { region: "fra1" });
  new digitalocean.ReservedIpAssignment("address", { dropletId, ipAddress: address.ipAddress });
  new digitalocean.Firewall("firewall", {
    tags: tags.map((tag) => tag.name),
    inboundRules: [
      {
        protocol: "tcp",
        portRange: settings.ports ?? "80",
        sourceAddresses: ["0.0.0.0/0", "::/0"],
      },
      { protocol: "icmp", sourceAddresses: ["10.7.0.0/24"] },
    ],
    outboundRules: [
      { protocol: "tcp", portRange: "all", destinationAddresses: ["0.0.0.0/0"] },
      { protocol: "udp", portRange: "1-65535", destinationAddresses: ["0.0.0.0/0"] },
    ],
  });
  const balancer = new digitalocean.LoadBalancer("front", {
    region: "fra1",
    vpcUuid: vpc.id,
    dropletTag: tags[0]?.name ?? "",
    forwardingRules: [
      { entryProtocol: "http", entryPort: 80, targetProtocol: "http", targetPort: 80 },
    ],
    healthcheck: { protocol: "http", port: 80, path: "/up", checkIntervalSeconds: 3 },
  });
  const domain = new digitalocean.Domain("domain", { name: "app.example" });
  new digitalocean.DnsRecord("a", {
    domain: domain.name,
    type: "A",
    name: "@",
    value: address.ipAddress,
    ttl: 300,
  });
  new digitalocean.DnsRecord("www", {
    domain: domain.name,
    type: "CNAME",
    name: "www",
    value: "app.example.",
  });
  const project = new digitalocean.Project("project", { purpose: "Service or API" });
  new digitalocean.ProjectResources("project", {
    project: project.id,
    resources: [droplet.dropletUrn, volume.volumeUrn],
  });
  const sizes = await digitalocean.getSizes({
    filters: [
      { key: "regions", values: ["fra1"] },
      { key: "vcpus", values: ["2"] },
    ],
    sorts: [{ key: "price_monthly", direction: "asc" }],
  });
  return {
    ip: droplet.ipv4Address,
    userData: droplet.userData,
    dropletId: droplet.id,
    volumeId: volume.id,
    address: address.ipAddress,
    front: balancer.ip,
    cheapest: sizes.sizes[0]?.slug,
  };
};

/** One Droplet and nothing that depends on it. */
const lone =
  ({ dropletName: name, userData }: Settings) =>
  () => {
    new digitalocean.Droplet("node", {
      ...(name ? { name } : {}),
      image: "debian-12-x64",
      region: "fra1",
      size: "s-1vcpu-1gb",
      userData,
    });
    return Promise.resolve({});
  };

(hasEngine ? describe : describe.skip)("the digitalocean stand-in on the real engine", () => {
  jest.setTimeout(180_000);
  let laboratory: Laboratory;
  beforeAll(async () => {
    laboratory = await Laboratory.open();
  });
  afterAll(() => laboratory.close());

  const withStack = async (
    name: string,
    settings: Settings,
    body: (stack: automation.Stack) => Promise<void>,
  ): Promise<void> => {
    const stack = await laboratory.stack(name, program(settings));
    await body(stack);
    await run(stack, "destroy");
  };

  test("a stack goes up, is stable, repairs only what was deleted, changes in place and goes away", async () => {
    await withStack("life", {}, async (stack) => {
      await run(stack, "preview");
      await run(stack, "up");
      const outputs = await stack.outputs();
      expect(outputs.ip?.value).toMatch(/^127\.99\./);
      expect(outputs.cheapest?.value).toMatch(/^s-2vcpu/);
      expect(outputs.userData?.secret).toBe(true);
      expect(outputs.userData?.value).toMatch(/^[0-9a-f]{40}$/);

      expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
      expect(await run(stack, "refresh", { expectNoChanges: true })).toEqual([]);

      await laboratory.request("DELETE", `/domains/app.example`);
      await laboratory.request("POST", `/volumes/${outputs.volumeId?.value as string}/actions`, {
        type: "detach",
        droplet_id: Number(outputs.dropletId?.value),
      });
      await run(stack, "refresh");
      expect(await run(stack, "up")).toEqual([
        "create DnsRecord",
        "create DnsRecord",
        "create Domain",
        "create VolumeAttachment",
      ]);
      expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);

      stack.workspace.program = program({
        size: "s-2vcpu-4gb",
        volumeSize: 2,
        ports: "443",
        tags: ["web", "blue"],
      });
      expect(await run(stack, "up")).toEqual([
        "create Tag",
        "update Droplet",
        "update Firewall",
        "update Volume",
      ]);
      expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
      const { droplet } = await laboratory.request<{
        droplet: { vcpus: number; disk: number; status: string };
      }>("GET", `/droplets/${outputs.dropletId?.value as string}`);
      expect(droplet).toMatchObject({ vcpus: 2, disk: 25, status: "active" });

      // Nothing else in the program: what the engine's refusal cuts short would fail in this process.
      stack.workspace.program = () => Promise.resolve({ volume: volumeOf(1).id });
      await expect(run(stack, "preview")).rejects.toThrow(/can only be expanded and not shrunk/);
    });
    expect(await laboratory.request("GET", "/droplets")).toMatchObject({ meta: { total: 0 } });
    expect(await laboratory.request("GET", "/volumes")).toMatchObject({ meta: { total: 0 } });
  });

  test("a replaced Droplet is created before the old one goes, unless the user chose its name", async () => {
    const kindsOf = async (name: string, dropletName?: string): Promise<string[]> => {
      const order: string[] = [];
      const stack = await laboratory.stack(name, lone({ dropletName }));
      await run(stack, "up");
      stack.workspace.program = lone({ dropletName, userData: "#cloud-config\n{a: 1}\n" });
      await stack.up({
        onOutput: () => undefined,
        onEvent: ({ resourcePreEvent }) => {
          const { type, op } = resourcePreEvent?.metadata ?? {};
          if (type?.endsWith(":Droplet")) order.push(String(op));
        },
      });
      await run(stack, "destroy");
      return order.filter((op) => op !== "same");
    };
    expect(await kindsOf("automatic")).toEqual([
      "create-replacement",
      "replace",
      "delete-replaced",
    ]);
    expect(await kindsOf("chosen", "node-1")).toEqual([
      "delete-replaced",
      "replace",
      "create-replacement",
    ]);
  });

  test("what exists already can be imported, and is not changed by that", async () => {
    const { vpc } = await laboratory.request<{ vpc: { id: string } }>("POST", "/vpcs", {
      name: "by-hand",
      region: "fra1",
      ip_range: "10.9.0.0/24",
    });
    const { volume } = await laboratory.request<{ volume: { id: string } }>("POST", "/volumes", {
      name: "by-hand",
      region: "fra1",
      size_gigabytes: 3,
    });
    const stack = await laboratory.stack("import", () => {
      new digitalocean.Vpc("net", { name: "by-hand", region: "fra1" }, { import: vpc.id });
      new digitalocean.Volume(
        "data",
        { name: "by-hand", region: "fra1", size: 3 },
        { import: volume.id },
      );
      return Promise.resolve({});
    });
    expect(await run(stack, "up")).toEqual(["import Volume", "import Vpc"]);
    expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
    await run(stack, "destroy");
  });

  test("a wrong token fails with where to set the right one", async () => {
    const stack = await laboratory.stack("token", lone({}), { DIGITALOCEAN_TOKEN: "wrong" });
    await expect(run(stack, "up")).rejects.toThrow(/pulumi config set --secret digitalocean:token/);
  });
});

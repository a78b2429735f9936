// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access */
import { metadataText } from "../../../local/api/metadata";
import { nextAddress, parseCidr } from "../../../local/api/addresses";
import { normalisePorts } from "../../../local/api/firewalls/rules";
import { names } from "../../../local/api/names";
import { resolveRule } from "../../../local/api/network";
import type { DropletRecord } from "../../../local/api/droplets/model";
import type { LoadBalancerRecord } from "../../../local/api/load-balancers/model";
import { fingerprintOf } from "../../../local/api/ssh-keys/model";
import { Store } from "../../../local/api/store";
import { sshKey, TestApi } from "./harness";

describe("addresses", () => {
  const range = parseCidr("10.0.0.0/29");
  if (!range) throw new Error("no range");

  it("start behind the gateway, and one that was let go comes back last", () => {
    expect(nextAddress(range, undefined, new Set())).toBe("10.0.0.2");
    expect(nextAddress(range, "10.0.0.2", new Set())).toBe("10.0.0.3");
    expect(nextAddress(range, "10.0.0.6", new Set(["10.0.0.2"]))).toBe("10.0.0.3");
  });

  it("a full network is said to be full", () => {
    const all = new Set([2, 3, 4, 5, 6].map((host) => `10.0.0.${host}`));
    expect(nextAddress(range, "10.0.0.4", all)).toBeUndefined();
  });
});

it("an SSH key's fingerprint is what ssh-keygen -E md5 prints", () => {
  expect(fingerprintOf(sshKey)).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  expect(fingerprintOf("ssh-rsa nonsense")).toBeUndefined();
  expect(fingerprintOf(sshKey.replace("ssh-ed25519 ", "ssh-rsa "))).toBeUndefined();
});

describe("Firewall rules", () => {
  it.each([
    ["tcp", "all", "0"],
    ["tcp", "0", "0"],
    ["icmp", undefined, "0"],
    ["tcp", 22, "22"],
    ["udp", "8000-9000", "8000-9000"],
    ["tcp", "1-65535", "1-65535"],
  ])("%s %p is kept as %p", (protocol, given, kept) => {
    expect(normalisePorts(protocol, given)).toBe(kept);
  });

  it.each(["", "70000", "9000-8000", "http", "1-2-3", "-1"])("port %p is refused", (given) => {
    expect(() => normalisePorts("tcp", given)).toThrow(/^ports/);
  });

  it("tags and Droplets become their private addresses, IPv6 is left out", () => {
    const droplet = (id: number, tags: string[]) =>
      ({ id, tags, privateIp: `10.0.0.${id}` }) as unknown as DropletRecord;
    const peers = {
      addresses: ["192.0.2.0/24", "192.0.2.9", "::/0"],
      dropletIds: [3],
      loadBalancerIds: ["b"],
      tags: ["Web"],
    };
    const balancers = [
      { id: "a", privateIp: "10.0.0.8" },
      { id: "b", privateIp: "10.0.0.9" },
    ] as LoadBalancerRecord[];
    expect(
      resolveRule(
        { protocol: "tcp", ports: "22", peers },
        [droplet(2, ["web"]), droplet(3, []), droplet(4, ["db"])],
        balancers,
      ).cidrs,
    ).toEqual(["192.0.2.0/24", "192.0.2.9/32", "10.0.0.2/32", "10.0.0.3/32", "10.0.0.9/32"]);
  });
});

describe("each service's rules", () => {
  let test: TestApi;
  beforeEach(async () => {
    test = await TestApi.start();
  });
  afterEach(() => test.stop());
  const message = (answer: { status: number; body: { message?: string } | undefined }) => [
    answer.status,
    answer.body?.message,
  ];
  const base = { name: "a", region: "nyc3", size: "s-1vcpu-1gb", image: "debian-12-x64" };

  it.each([
    [{ name: "with space" }, /^Name Only valid hostname/],
    [{ size: "s-99" }, /invalid size/],
    [{ region: "mars1" }, /invalid region/],
    [{ image: "debian-1-x64" }, /invalid image/],
    [{ ssh_keys: [7, "aa:bb"] }, /^7, aa:bb are invalid key identifiers/],
    [{ vpc_uuid: "nope" }, /invalid VPC/],
    [{ user_data: "x".repeat(65_537) }, /^User data is too long/],
    [{ volumes: ["nope"] }, /^Volume nope/],
  ])("a Droplet with %j is refused", async (fields, expected) => {
    const answer = await test.post("/v2/droplets", { ...base, ...fields });
    expect([answer.status, answer.body.message]).toEqual([422, expect.stringMatching(expected)]);
    expect((await test.get("/v2/droplets")).body.meta.total).toBe(0);
  });

  it("a Firewall needs its tags to exist", async () => {
    const wall = {
      name: "f",
      tags: ["web"],
      inbound_rules: [{ protocol: "tcp", ports: "22", sources: { addresses: ["0.0.0.0/0"] } }],
    };
    expect(message(await test.post("/v2/firewalls", wall))).toEqual([
      422,
      "tag web does not exist",
    ]);
    await test.post("/v2/tags", { name: "web" });
    expect((await test.post("/v2/firewalls", wall)).status).toBe(202);
  });

  it.each([
    ["10.0.0.0/8", /between \/16 and \/28/],
    ["8.8.0.0/20", /private/],
    ["10.244.1.0/24", /reserved/],
    ["10.0.0.0", /valid CIDR/],
  ])("a VPC cannot have %s", async (range, expected) => {
    const answer = await test.post("/v2/vpcs", { name: "v", region: "nyc3", ip_range: range });
    expect([answer.status, answer.body.message]).toEqual([422, expect.stringMatching(expected)]);
  });

  it("one Reserved IP a Droplet, in its region, and three an account", async () => {
    const droplet = await test.droplet();
    const make = (region: string) => test.post("/v2/reserved_ips", { region });
    const [here, second, there] = [await make("nyc3"), await make("nyc3"), await make("fra1")];
    const assign = (answer: typeof here) =>
      test.post(`/v2/reserved_ips/${answer.body.reserved_ip.ip}/actions`, {
        type: "assign",
        droplet_id: droplet.id,
      });
    expect((await make("nyc3")).body.message).toMatch(/limit/);
    expect((await assign(there)).body.message).toMatch(/same region/);
    await test.settled(await assign(here));
    expect((await assign(second)).body.message).toBe("The Droplet already has a Reserved IP.");
  });

  it("a Reserved IP moves from one Droplet to another in one action", async () => {
    const [one, two] = [await test.droplet({ name: "one" }), await test.droplet({ name: "two" })];
    const { body } = await test.post("/v2/reserved_ips", { region: "nyc3" });
    const path = `/v2/reserved_ips/${body.reserved_ip.ip}`;
    for (const { id } of [one, two])
      await test.settled(await test.post(`${path}/actions`, { type: "assign", droplet_id: id }));
    expect((await test.get(path)).body.reserved_ip.droplet.id).toBe(two.id);
  });

  it("a Volume is on one Droplet, in its region, and only grows", async () => {
    const make = { name: "data", region: "nyc3", size_gigabytes: 10 };
    const { id } = (await test.post("/v2/volumes", make)).body.volume;
    const one = await test.droplet({ name: "one" });
    const two = await test.droplet({ name: "two" });
    const far = await test.droplet({ name: "far", region: "fra1" });
    const act = (input: object) => test.post(`/v2/volumes/${id}/actions`, input);
    expect((await act({ type: "attach", droplet_id: far.id })).body.message).toMatch(/same region/);
    await test.settled(await act({ type: "attach", droplet_id: one.id }));
    expect((await act({ type: "attach", droplet_id: two.id })).status).toBe(422);
    expect((await act({ type: "resize", size_gigabytes: 10 })).status).toBe(422);
    expect((await test.get(`/v2/droplets/${one.id}`)).body.droplet.volume_ids).toEqual([id]);
    await test.delete(`/v2/droplets/${one.id}`);
    expect((await test.get(`/v2/volumes/${id}`)).body.volume.droplet_ids).toEqual([]);
  });

  it("a record points to hosts without a trailing dot, and a CNAME stands alone", async () => {
    await test.post("/v2/domains", { name: "example.com" });
    const add = (record: object) => test.post("/v2/domains/example.com/records", record);
    const cname = { type: "CNAME", name: "www", data: "host.example.org." };
    expect((await add({ ...cname, data: "host.example.org" })).body.message).toBe(
      "Data needs to end with a dot (.)",
    );
    expect((await add(cname)).body.domain_record.data).toBe("host.example.org");
    expect((await add({ type: "A", name: "www", data: "192.0.2.1" })).body.message).toMatch(
      /CNAME/,
    );
    expect((await add({ type: "MX", name: "@", data: "mx.example.org." })).body.message).toBe(
      "Priority can't be blank",
    );
    expect((await add({ type: "A", name: "@", data: "192.0.2.1", ttl: 1 })).body.message).toMatch(
      /Ttl/,
    );
    const found = await test.get("/v2/domains/example.com/records?type=CNAME&name=www.example.com");
    expect(found.body.meta.total).toBe(1);
  });

  it("a tag that goes takes its Firewall rules' Droplets with it", async () => {
    const { id } = await test.droplet({ tags: ["web"] });
    await test.post("/v2/firewalls", {
      name: "f",
      tags: ["web"],
      inbound_rules: [{ protocol: "tcp", ports: "22", sources: { addresses: ["0.0.0.0/0"] } }],
    });
    expect((await test.get(`/v2/droplets/${id}/firewalls`)).body.meta.total).toBe(1);
    await test.delete("/v2/tags/web");
    expect((await test.get(`/v2/droplets/${id}/firewalls`)).body.meta.total).toBe(0);
    expect((await test.get(`/v2/droplets/${id}`)).body.droplet.tags).toEqual([]);
  });
});

it("a Load Balancer's Droplets are those that have its tag now", async () => {
  const test = await TestApi.start();
  const [one, two] = [
    await test.droplet({ name: "one", tags: ["web"] }),
    await test.droplet({ name: "two" }),
  ];
  const { body } = await test.post("/v2/load_balancers", {
    name: "front",
    vpc_uuid: one.vpc_uuid,
    tag: "web",
    forwarding_rules: [
      { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 },
    ],
  });
  const path = `/v2/load_balancers/${body.load_balancer.id}`;
  const ids = async () => (await test.get(path)).body.load_balancer.droplet_ids as number[];
  expect(await ids()).toEqual([one.id]);
  const resources = [{ resource_id: `${two.id}`, resource_type: "droplet" }];
  await test.post("/v2/tags/web/resources", { resources });
  expect(await ids()).toEqual([one.id, two.id]);
  await test.delete(`/v2/droplets/${one.id}`);
  expect(await ids()).toEqual([two.id]);
  await test.delete("/v2/tags/web/resources", { resources });
  expect(await ids()).toEqual([]);
  expect((await test.delete(`/v2/vpcs/${one.vpc_uuid}`)).status).toBe(403);
  await test.stop();
});

it("Droplets' name server knows the account's domains, through CNAMEs", async () => {
  const test = await TestApi.start();
  await test.post("/v2/domains", { name: "example.com", ip_address: "192.0.2.1" });
  for (const record of [
    { type: "A", name: "@", data: "192.0.2.2" },
    { type: "CNAME", name: "www", data: "@" },
    { type: "CNAME", name: "shop", data: "www.example.com." },
    { type: "CNAME", name: "gone", data: "nowhere.example.org." },
  ])
    await test.post("/v2/domains/example.com/records", record);
  await test.api.close();
  const store = Store.open(test.stateDir);
  const both = ["192.0.2.1", "192.0.2.2"];
  expect(names(store)).toEqual([
    { name: "example.com", addresses: both },
    { name: "www.example.com", addresses: both },
    { name: "shop.example.com", addresses: both },
  ]);
  await store.close();
  await test.stop();
});

it("a Droplet reads about itself alone from the metadata server", async () => {
  const test = await TestApi.start();
  const one = await test.droplet({ name: "one", user_data: "#cloud-config\n", tags: ["web"] });
  await test.droplet({ name: "two" });
  const { body } = await test.post("/v2/reserved_ips", { droplet_id: one.id });
  const ip = body.reserved_ip.ip as string;
  await test.until(`/v2/reserved_ips/${ip}`, (each) => !each.body.reserved_ip.locked);
  const stranger = await fetch(`http://127.0.0.1:${test.api.metadataPort}/metadata/v1/id`);
  expect(stranger.status).toBe(404);
  await test.api.close();

  const store = Store.open(test.stateDir);
  const read = (path: string) => metadataText(store, "10.100.0.2", path);
  expect(read("id")).toBe(String(one.id));
  expect(read("hostname")).toBe("one");
  expect(read("user-data")).toBe("#cloud-config\n");
  expect(read("region")).toBe("nyc3");
  expect(read("interfaces/private/0/ipv4/address")).toBe("10.100.0.2");
  expect(read("interfaces/public/0/anchor_ipv4/address")).toBe("10.100.0.2");
  expect(read("reserved_ip/ipv4/active")).toBe("true");
  expect(read("floating_ip/ipv4/ip_address")).toBe(ip);
  expect(read("tags")).toBe("web");
  expect(read("")?.split("\n")).toContain("interfaces/");
  expect(read("nope")).toBeUndefined();
  expect(metadataText(store, "10.100.0.3", "hostname")).toBe("two");
  expect(metadataText(store, "10.100.0.4", "hostname")).toBeUndefined();
  await store.close();
  await test.stop();
});

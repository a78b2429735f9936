import { check, DEFAULTS } from "../../../local/provider/framework/check";
import { diff } from "../../../local/provider/framework/diff";
import {
  deletesBeforeReplace,
  mergedState,
  plannedState,
  readInputs,
  withIgnored,
} from "../../../local/provider/framework/lifecycle";
import type { ResourceType } from "../../../local/provider/framework/provider";
import { decode, encode, Secret, UNKNOWN } from "../../../local/provider/framework/values";
import { hashed } from "../../../local/provider/digitalocean/hashed";
import { droplet } from "../../../local/provider/digitalocean/resources/droplet";
import { firewall } from "../../../local/provider/digitalocean/resources/firewall";
import { volume } from "../../../local/provider/digitalocean/resources/volume";
import { secret } from "../../../local/provider/docker/secret";
import { service } from "../../../local/provider/docker/service";

const node = { image: "debian-12-x64", size: "s-1vcpu-1gb", region: "fra1", name: "node" };
const type = droplet as unknown as ResourceType<never>;

describe("a diff", () => {
  test.each([
    ["another spelling of a slug", node, { ...node, region: "FRA1", size: "S-1VCPU-1GB" }],
    [
      "the user data of which state holds the hash",
      { ...node, userData: hashed("x") },
      { ...node, userData: "x" },
    ],
    [
      "SSH keys in another order",
      { ...node, sshKeys: ["a", "b"] },
      { ...node, sshKeys: ["b", "a"] },
    ],
    ["tags in another case", { ...node, tags: ["Web"] }, { ...node, tags: ["web"] }],
    ["computed values that nobody set", { ...node, vpcUuid: "v", volumeIds: ["a"] }, node],
    ["false where nothing was stored", node, { ...node, backups: false }],
  ])("sees no change in %s", (_, olds, news) => {
    expect(diff(droplet.inputs, olds, news)).toEqual([]);
  });

  test("lists rules of a Firewall by content, not by position", () => {
    const web = { protocol: "tcp", portRange: "80", sourceAddresses: ["0.0.0.0/0", "::/0"] };
    const ssh = { protocol: "tcp", portRange: "22", sourceTags: ["admin"] };
    const olds = { inboundRules: [web, { ...ssh, sourceAddresses: [] }] };
    const shuffled = { inboundRules: [ssh, { ...web, sourceAddresses: ["::/0", "0.0.0.0/0"] }] };
    expect(diff(firewall.inputs, olds, shuffled)).toEqual([]);
    expect(diff(firewall.inputs, olds, { inboundRules: [ssh] })).toEqual([
      { path: "inboundRules[0]", kind: "delete", replace: false },
    ]);
  });

  test("IPv6 can be switched on in place, but not off", () => {
    const on = diff(droplet.inputs, { ...node, ipv6: false }, { ...node, ipv6: true });
    const off = diff(droplet.inputs, { ...node, ipv6: true }, { ...node, ipv6: false });
    expect([on, off].map(([change]) => change?.replace)).toEqual([false, true]);
  });

  test("an unknown value counts as changed, and replaces where a change would", () => {
    expect(diff(droplet.inputs, { ...node, vpcUuid: "v" }, { ...node, vpcUuid: UNKNOWN })).toEqual([
      { path: "vpcUuid", kind: "update", replace: true },
    ]);
    expect(
      diff(droplet.inputs, { ...node, tags: ["a"] }, { ...node, tags: ["a", UNKNOWN] }),
    ).toEqual([{ path: "tags[1]", kind: "add", replace: false }]);
  });

  test("ignoreChanges hides drift below a path, indexes included", () => {
    const olds = { taskSpec: { containerSpec: { image: "a:2", env: { A: "1" } } } };
    const news = { taskSpec: { containerSpec: { image: "a:1", env: { A: "2" } } } };
    const paths = (ignore: string[]) =>
      diff(service.inputs, olds, news, ignore).map(({ path }) => path);
    expect(paths([])).toEqual(["taskSpec.containerSpec.image", "taskSpec.containerSpec.env.A"]);
    expect(paths(["taskSpec.containerSpec.image"])).toEqual(["taskSpec.containerSpec.env.A"]);
    expect(paths(["taskSpec"])).toEqual([]);
    expect(diff(firewall.inputs, { tags: ["a"] }, { tags: ["b"] }, ["tags[*]"])).toEqual([]);
  });

  test("replicas change in place, while global mode and back replaces nothing by itself", () => {
    const mode = (replicas: number) => ({ mode: { replicated: { replicas } } });
    expect(diff(service.inputs, mode(1), mode(3))).toEqual([
      { path: "mode.replicated.replicas", kind: "update", replace: false },
    ]);
  });
});

describe("a check", () => {
  const autonaming = { name: "node", seed: Buffer.from("seed") };

  test("names a resource after itself, the same in preview and update, and keeps the name", () => {
    const first = check(droplet.inputs, {}, { image: "i", size: "s" }, autonaming).inputs;
    expect(first.name).toMatch(/^node-[0-9a-f]{7}$/);
    expect(check(droplet.inputs, {}, { image: "i", size: "s" }, autonaming).inputs.name).toBe(
      first.name,
    );
    const later = { ...autonaming, seed: Buffer.from("other") };
    expect(check(droplet.inputs, first, { image: "i", size: "s" }, later).inputs.name).toBe(
      first.name,
    );
  });

  test("a name that the user chose makes a replacement delete first, an automatic one does not", () => {
    const named = check(droplet.inputs, {}, { ...node }, autonaming).inputs;
    const automatic = check(droplet.inputs, {}, { image: "i", size: "s" }, autonaming).inputs;
    expect([named, automatic].map((inputs) => deletesBeforeReplace(type, inputs))).toEqual([
      true,
      false,
    ]);
  });

  test("fills in defaults, turns IDs into numbers and names every fault at once", () => {
    const { inputs } = check(
      service.inputs,
      {},
      {
        name: "web",
        taskSpec: { containerSpec: { image: "i", secrets: [{ secretId: "s", fileName: "f" }] } },
      },
      undefined,
    );
    expect(inputs.taskSpec).toMatchObject({
      containerSpec: {
        isolation: "default",
        secrets: [{ fileUid: "0", fileGid: "0", fileMode: 0o444 }],
      },
    });
    expect(check(firewall.inputs, {}, { dropletIds: ["12"] }, undefined).inputs.dropletIds).toEqual(
      [12],
    );
    expect(check(volume.inputs, {}, { size: "big", colour: "red" }, autonaming).failures).toEqual([
      { property: "colour", reason: 'there is no property "colour"' },
      { property: "region", reason: 'Missing required property "region"' },
      { property: "size", reason: 'size must be a number, got "big"' },
    ]);
  });

  test("a Firewall rule for TCP without ports is refused before anything is created", () => {
    expect(firewall.validate?.({ inboundRules: [{ protocol: "tcp" }] }, {})).toHaveLength(1);
    expect(firewall.validate?.({ inboundRules: [{ protocol: "icmp" }] }, {})).toEqual([]);
    expect(firewall.validate?.({ inboundRules: UNKNOWN }, {})).toEqual([]);
  });
});

describe("state", () => {
  test("of a planned Droplet has unknown outputs, not absent ones, and never the user data", () => {
    const planned = plannedState(type, { ...node, userData: "secret words", [DEFAULTS]: [] });
    expect(planned).toMatchObject({ ipv4Address: UNKNOWN, vpcUuid: UNKNOWN, image: node.image });
    expect(JSON.stringify(planned)).not.toContain("secret words");
  });

  test("marks the data of a docker secret as secret", () => {
    const state = mergedState(secret, { name: "n", data: "aGk=" }, {});
    expect(state.data).toEqual(new Secret("aGk="));
  });

  test("does not keep an input that the program dropped", () => {
    const state = mergedState(volume, { name: "n" }, {}, { description: "old", dropletIds: [1] });
    expect(state).toEqual({ name: "n", dropletIds: [1] });
  });

  test("after a refresh the inputs follow what drifted, and only that", () => {
    const inputs = { ...node, region: "FRA1", userData: "x", [DEFAULTS]: [] };
    const state = { ...node, size: "s-2vcpu-4gb", userData: hashed("x") };
    expect(readInputs(droplet.inputs, inputs, state)).toEqual({ ...inputs, size: "s-2vcpu-4gb" });
  });

  test("an ignored property keeps its live value in an update", () => {
    const olds = { mode: { replicated: { replicas: 5 } }, name: "web" };
    const news = { mode: { replicated: { replicas: 1 } }, name: "web" };
    expect(withIgnored(news, olds, ["mode.replicated.replicas"])).toEqual(olds);
  });

  test("secrets and unknowns survive the wire", () => {
    const wire = encode({ a: UNKNOWN, b: new Secret(["x"]), c: undefined });
    expect(decode(wire)).toEqual({ a: UNKNOWN, b: ["x"] });
  });
});

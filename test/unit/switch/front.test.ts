// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment */
import { addressOf, exchange, type Front, readReservedIp } from "../../../scripts/switch/front";
import { domainOf, type Party, switchFaults } from "../../../scripts/switch/look";
import { frontOf, withAddress, withoutNames } from "../../../scripts/switch/state";
import { readOutputs } from "../../../scripts/outputs";
import type { State } from "../../../scripts/stack-state";
import { TestApi, token } from "../api/harness";

describe("two Reserved IPs", () => {
  let cloud: TestApi;
  let droplets: readonly [number, number];
  const api = () => ({ url: cloud.api.url, token });
  beforeAll(async () => {
    cloud = await TestApi.start();
    droplets = [await serving("old"), await serving("new")];
  });
  afterAll(() => cloud.stop());

  /** A Droplet with a Reserved IP. */
  async function serving(name: string): Promise<number> {
    const { id } = (await cloud.droplet({ name })) as { id: number };
    const { body } = await cloud.post("/v2/reserved_ips", { droplet_id: id });
    const { ip } = (body as { reserved_ip: { ip: string } }).reserved_ip;
    while ((await readReservedIp(api(), ip)).dropletId !== id) await new Promise(setImmediate);
    return id;
  }

  const front = async (dropletId: number): Promise<Front> => ({
    ip: await addressOf(api(), dropletId),
    dropletId,
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])(
    "change places, also when the command dies after %s requests and is run again",
    async (requests) => {
      const [from, to] = [await front(droplets[0]), await front(droplets[1])];
      let left = requests;
      const dying = {
        token,
        get url() {
          return left-- > 0 ? cloud.api.url : "http://127.0.0.1:9";
        },
      };
      await exchange(dying, from, to).catch(() => undefined);
      // The second time changes nothing.
      for (const _ of [1, 2]) await exchange(api(), from, to);
      expect(await front(to.dropletId)).toEqual({ ...to, ip: from.ip });
      expect(await front(from.dropletId)).toEqual({ ...from, ip: to.ip });
    },
  );
});

const urn = (type: string, name: string) => `urn:pulumi:old::archipelago::${type}::${name}`;
const DNS = "archipelago:ingress:Dns";

function state(): State {
  const zone = urn(`${DNS}$digitalocean:index/domain:Domain`, "dns");
  return {
    deployment: {
      resources: [
        {
          urn: urn("pulumi:pulumi:Stack", "archipelago-old"),
          type: "pulumi:pulumi:Stack",
          outputs: { address: "203.0.113.7", url: "http://203.0.113.7/" },
        },
        {
          urn: urn("digitalocean:index/reservedIp:ReservedIp", "address"),
          type: "digitalocean:index/reservedIp:ReservedIp",
          id: "203.0.113.7",
          inputs: { region: "fra1" },
        },
        {
          urn: urn("digitalocean:index/reservedIpAssignment:ReservedIpAssignment", "address"),
          type: "digitalocean:index/reservedIpAssignment:ReservedIpAssignment",
          id: "12-203.0.113.7",
          inputs: { dropletId: 12, ipAddress: "203.0.113.7" },
        },
        { urn: urn(DNS, "dns"), type: DNS },
        { urn: zone, type: "digitalocean:index/domain:Domain", id: "example.com" },
        {
          urn: urn("digitalocean:index/project:Project", "project"),
          type: "digitalocean:index/project:Project",
          inputs: { resources: ["do:reservedip:203.0.113.7"] },
          dependencies: [zone],
        },
      ],
    },
  };
}

test("a state gets the other address in what it owns and gives out; what the account is still to be told stays", () => {
  const changed = withAddress(state(), "198.51.100.9");
  expect(frontOf(changed)).toEqual({ ip: "198.51.100.9", dropletId: 12 });
  const text = JSON.stringify(changed.deployment?.resources?.[0]);
  expect(text).toContain("http://198.51.100.9/");
  expect(JSON.stringify(changed.deployment?.resources?.[5])).toContain("do:reservedip:203.0.113.7");
});

test("the name is no longer the old stack's: to destroy that one leaves zone and records", () => {
  const resources = withoutNames(state()).deployment?.resources ?? [];
  expect(resources.map(({ type }) => type.split(":").at(-1))).toEqual([
    "Stack",
    "ReservedIp",
    "ReservedIpAssignment",
    "Project",
  ]);
  expect(resources.at(-1)?.dependencies).toEqual([]);
});

const party = (stack: string, outputs: object = {}, more: Partial<Party> = {}): Party => ({
  stack,
  outputs: readOutputs(
    JSON.stringify({ services: { web: { image: "web:1", replicas: 1 } }, ...outputs }),
  ),
  front: { ip: "203.0.113.7", dropletId: 12 },
  databases: ["app"],
  withFiles: ["web"],
  ...more,
});
const here = { region: "fra1", dropletId: 12 };

test("two stacks of the same app with a Reserved IP each have nothing in the way", () => {
  expect(switchFaults(party("old"), party("new"), [here, here])).toEqual([]);
});

test.each([
  [
    "a Load Balancer",
    party("old"),
    party("new", { loadBalancer: { id: "1" } }),
    /ingress: floating-ip there/,
  ],
  [
    "a managed target",
    party("old"),
    party("new", { database: { port: 1 } }),
    /database: container there/,
  ],
  [
    "a managed source",
    party("old", { database: { port: 1 } }),
    party("new"),
    /--from old:managed --to old:container/,
  ],
  ["no database", party("old"), party("new", {}, { databases: [] }), /new has no database app/],
  ["no volume", party("old"), party("new", {}, { withFiles: [] }), /keeps no files for web/],
  ["another app", party("old"), party("new", { services: {} }), /new has no service web/],
  ["a bucket", party("old", { files: { bucket: "old-files" } }), party("new"), /bucket old-files/],
  [
    "another name",
    party("old", { url: "https://app.example.com/" }),
    party("new"),
    /name: app.example.com, dns: none/,
  ],
])("%s is in the way, and what to do is said", (_, from, to, fault) => {
  const faults = switchFaults(from, to, [here, here]);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(fault);
});

test("another region is in the way; the same name is not", () => {
  expect(switchFaults(party("old"), party("new"), [here, { ...here, region: "ams3" }])[0]).toMatch(
    /does not leave its region/,
  );
  const named = { url: "https://app.example.com/" };
  expect(switchFaults(party("old", named), party("new", named), [here, here])).toEqual([]);
  expect(domainOf(party("old", named).outputs)).toBe("app.example.com");
});

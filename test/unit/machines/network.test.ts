import type { NetworkSpec } from "../../../local/machines/machines";
import { bridgeName } from "../../../local/machines/docker/names";
import { disjoint } from "../../../local/machines/docker/cidrs";
import { renderNetwork } from "../../../local/machines/docker/network";

const options = {
  instance: "abc123",
  services: { mirror: 5001, names: 5353 },
  egress: "deny",
} as const;
const vpc = { id: "v", name: "v", ipRange: "10.99.0.0/20" };
const empty: NetworkSpec = {
  vpcs: [],
  droplets: [],
  addresses: [],
  firewalls: [],
  metadataPort: 8001,
};

/** One chain or map of a rule set, without its frame. */
function section(rules: string, head: string): string[] {
  const lines = rules.split("\n").map((line) => line.trim());
  const start = lines.indexOf(`${head} {`);
  return start < 0 ? [] : lines.slice(start + 1, lines.indexOf("}", start));
}

describe("network rules", () => {
  it("protect this machine even before anything exists", () => {
    expect(renderNetwork(empty, { ...options, publicPool: "127.99.0.0/16" }))
      .toBe(`add table ip archipelago_abc123
delete table ip archipelago_abc123
table ip archipelago_abc123 {
  map public {
    type ipv4_addr : ipv4_addr
  }
  map inbound {
    type ipv4_addr : verdict
  }
  map outbound {
    type ipv4_addr : verdict
  }
  chain raw {
    type filter hook prerouting priority -300
    iifname "arabc123-*" ip daddr 127.0.0.0/8 drop
  }
  chain services {
    type nat hook prerouting priority -110
    iifname "arabc123-*" ip daddr 169.254.169.254 tcp dport 80 dnat to 127.0.0.1:8001
    iifname "arabc123-*" ip daddr 169.254.169.253 tcp dport 5000 dnat to 127.0.0.1:5001
    iifname "arabc123-*" ip daddr 169.254.169.253 udp dport 53 dnat to 127.0.0.1:5353
    iifname "arabc123-*" ip daddr { 8.8.8.8, 8.8.4.4 } udp dport 53 dnat to 127.0.0.1:5353
  }
  chain addresses {
    type nat hook output priority -110
    dnat to ip daddr map @public
  }
  chain clients {
    type nat hook postrouting priority 90
    oifname "arabc123-*" ip saddr 127.0.0.0/8 snat ip prefix to 247.0.0.0/8
  }
  chain from-host {
    type filter hook output priority -10
    ct state established,related accept
    ip daddr 127.99.0.0/16 drop
    ip daddr vmap @inbound
  }
  chain to-host {
    type filter hook input priority -10
    iifname != "arabc123-*" accept
    ct state established,related accept
    ct status dnat ct original ip daddr { 169.254.169.254, 169.254.169.253, 8.8.8.8, 8.8.4.4 } accept
    reject with icmp type admin-prohibited
  }
  chain forward {
    type filter hook forward priority -10
    iifname != "arabc123-*" oifname != "arabc123-*" accept
    ct state established,related accept
    iifname "arabc123-*" meta pkttype { broadcast, multicast } drop
    iifname "arabc123-*" ip daddr 224.0.0.0/4 drop
    ip saddr vmap @outbound
    iifname != "arabc123-*" drop
    oifname != "arabc123-*" reject with icmp type admin-prohibited
    ip daddr vmap @inbound
  }
}
`);
  });

  it("lead public addresses to Droplets, and leave out those whose Droplet is gone", () => {
    const rules = renderNetwork(
      {
        ...empty,
        vpcs: [vpc],
        droplets: [{ id: 1, vpcId: "v", privateIp: "10.99.0.2" }],
        addresses: [
          { address: "127.20.0.1", dropletId: 1 },
          { address: "127.20.0.9", dropletId: 1 },
          { address: "127.20.0.2", dropletId: 404 },
        ],
      },
      options,
    );
    expect(section(rules, "map public")).toEqual([
      "type ipv4_addr : ipv4_addr",
      "elements = { 127.20.0.1 : 10.99.0.2, 127.20.0.9 : 10.99.0.2 }",
    ]);
    expect(section(rules, "chain from-host")).toContain(
      "ip daddr { 10.99.0.0/20 } ip saddr != 127.0.0.0/8 drop",
    );
  });

  it("keep a Droplet without public address and NAT gateway from the world, registries included, and not from its VPC", () => {
    const droplets = [
      { id: 1, vpcId: "v", privateIp: "10.99.0.2", isCutOff: false },
      { id: 2, vpcId: "v", privateIp: "10.99.0.3", isCutOff: true },
    ];
    const rules = renderNetwork({ ...empty, droplets }, { ...options, egress: "allow" });
    const toHost = section(rules, "chain to-host");
    const refused =
      "ip saddr { 10.99.0.3 } meta l4proto tcp ct original ip daddr 169.254.169.253 reject with icmp type net-unreachable";
    expect(toHost).toContain(refused);
    // Before the rule that lets every Droplet in.
    expect(toHost.indexOf(refused)).toBeLessThan(
      toHost.findIndex((line) => line.startsWith("ct status dnat")),
    );
    expect(section(rules, "chain forward")).toContain(
      'ip saddr { 10.99.0.3 } oifname != "arabc123-*" reject with icmp type net-unreachable',
    );
  });

  it("restrict only Droplets that have a Firewall, to the union of its rules", () => {
    const inbound = (cidrs: string[], ports: string) =>
      [{ protocol: "tcp", ports, cidrs }] as const;
    const rules = renderNetwork(
      {
        ...empty,
        droplets: [
          { id: 1, vpcId: "v", privateIp: "10.99.0.2" },
          { id: 2, vpcId: "v", privateIp: "10.99.0.3" },
        ],
        firewalls: [
          {
            id: "a",
            dropletIds: [1],
            inbound: inbound(["127.0.0.1/32", "10.99.0.0/20", "10.99.0.7/32"], "22"),
            outbound: [
              { protocol: "udp", ports: "0", cidrs: ["0.0.0.0/0", "::/0"] },
              { protocol: "icmp", ports: "0", cidrs: ["0.0.0.0/0"] },
            ],
          },
          { id: "b", dropletIds: [1], inbound: inbound(["0.0.0.0/0"], "8000-9000"), outbound: [] },
          { id: "c", dropletIds: [1], inbound: inbound([], "443"), outbound: [] },
        ],
      },
      options,
    );
    expect(section(rules, "map inbound")).toEqual([
      "type ipv4_addr : verdict",
      "elements = { 10.99.0.2 : jump in-1 }",
    ]);
    expect(section(rules, "chain in-1")).toEqual([
      "ip saddr { 10.99.0.0/20, 127.0.0.1/32 } tcp dport 22 return",
      "tcp dport 8000-9000 return",
      "drop",
    ]);
    expect(section(rules, "chain out-1")).toEqual([
      "meta l4proto udp return",
      "meta l4proto icmp return",
      "drop",
    ]);
    expect(section(rules, "chain in-2")).toEqual([]);
  });

  it("lead public addresses to services, and guard them by their own address", () => {
    const tcp = (ports: string, cidr: string) =>
      ({ protocol: "tcp", ports, cidrs: [cidr] }) as const;
    const at = { vpcId: "v", privateIp: "10.99.0.9" };
    const rules = renderNetwork(
      {
        ...empty,
        vpcs: [vpc],
        services: [{ address: "127.20.0.5", ...at }],
        guards: [
          { ...at, inbound: [tcp("25060", "10.99.0.2/32")] },
          { ...at, inbound: [tcp("25061", "127.0.0.7/32")] },
        ],
      },
      options,
    );
    expect(section(rules, "map public")).toContain("elements = { 127.20.0.5 : 10.99.0.9 }");
    expect(section(rules, "map inbound")).toContain(
      "elements = { 10.99.0.9 : jump guard-10-99-0-9 }",
    );
    expect(section(rules, "chain guard-10-99-0-9")).toEqual([
      "ip saddr { 10.99.0.2/32 } tcp dport 25060 return",
      "ip saddr { 127.0.0.7/32 } tcp dport 25061 return",
      "drop",
    ]);
  });

  it("keep VPCs apart", () => {
    const vpcs = [vpc, { ...vpc, id: "w", ipRange: "10.98.0.0/20" }];
    const forward = section(renderNetwork({ ...empty, vpcs }, options), "chain forward");
    for (const { id } of vpcs) {
      const bridge = `"${bridgeName("abc123", id)}"`;
      expect(forward).toContain(`iifname ${bridge} oifname "arabc123-*" oifname != ${bridge} drop`);
    }
  });

  it("lead to the account's registry only when there is one", () => {
    const open = renderNetwork(empty, { ...options, registryPort: 5443 });
    expect(section(open, "chain services")).toContain(
      'iifname "arabc123-*" ip daddr 169.254.169.253 tcp dport 443 dnat to 127.0.0.1:5443',
    );
    expect(renderNetwork(empty, options)).not.toContain("dport 443");
  });

  it("lead Droplets to the account's buckets where there is an S3 server", () => {
    const open = renderNetwork(empty, { ...options, spacesPort: 7443 });
    expect(section(open, "chain services")).toContain(
      'iifname "arabc123-*" ip daddr 169.254.169.253 tcp dport 7070 dnat to 127.0.0.1:7443',
    );
    expect(renderNetwork(empty, options)).not.toContain("dport 7070");
  });

  it("let Droplets out to the internet only when the operator says so", () => {
    const forward = section(renderNetwork(empty, { ...options, egress: "allow" }), "chain forward");
    expect(forward.filter((line) => line.includes("reject"))).toEqual([]);
  });
});

describe("sources of a rule", () => {
  it.each([
    [["10.0.0.0/8", "10.1.0.0/16"], ["10.0.0.0/8"]],
    [["10.1.2.3/16", "10.1.0.0/16"], ["10.1.0.0/16"]],
    [["192.168.1.7"], ["192.168.1.7/32"]],
    [["::/0", "2001:db8::/32"], []],
    [
      ["10.0.0.0/25", "10.0.0.128/25"],
      ["10.0.0.0/25", "10.0.0.128/25"],
    ],
    [["0.0.0.0/0", "10.0.0.0/8"], ["0.0.0.0/0"]],
  ])("%j are loaded as %j, which nft accepts as one set", (cidrs, expected) => {
    expect(disjoint(cidrs)).toEqual(expected);
  });
});

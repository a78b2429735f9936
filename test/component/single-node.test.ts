import { declare as declareStack, short } from "./declare";
import { type Declared, only } from "./recorder";

// It would make a directory in the home of whoever runs the tests.
jest.mock("../../components/ssh-directory", () => ({
  prepareSshDirectory: () => undefined,
}));

const services = {
  web: {
    image: "acme/web@sha256:0123456789abcdef0123",
    port: 3000,
    routes: ["/"],
    secrets: { api_key: "hunter2" },
    release: ["migrate"],
  },
  files: { image: "acme/files:1", volume: "/data", port: 9000, routes: ["files.example.com/"] },
};

const declare = (given: object = {}, env: Record<string, string> = {}) =>
  declareStack("single-node", { services, ...given }, { env });
const container = (declared: readonly Declared[], name: string) => {
  const { inputs } = only(declared, "docker:index/service:Service", name);
  return (inputs.taskSpec as { containerSpec: Record<string, unknown> }).containerSpec;
};

describe("the single-node topology, as declared", () => {
  let declared: Declared[];
  beforeAll(async () => {
    declared = await declare();
  });

  test("is exactly these resources", () => {
    expect(declared.map(short).sort()).toMatchSnapshot();
  });

  test("protects what cannot be made again: Droplet, Volume and Reserved IP", () => {
    const kept = declared.filter(({ options }) => options.protect).map(short);
    expect(kept.sort()).toEqual(["Droplet manager-1", "ReservedIp address", "Volume data"]);
  });

  test("never rebuilds a Droplet for edited keys or user data, and never deletes it first", () => {
    const { options } = only(declared, "digitalocean:index/droplet:Droplet", "manager-1");
    expect(options).toMatchObject({
      ignoreChanges: ["sshKeys", "userData", "monitoring"],
      deleteBeforeReplace: false,
    });
  });

  test("needs no living swarm to be destroyed: what is in it goes with the cluster", () => {
    const swarm = declared.filter(({ type }) => /^docker:/.test(type));
    expect(swarm.length).toBeGreaterThan(15);
    for (const { options } of swarm) expect(options.deletedWith).toMatch(/Cluster::swarm$/);
  });

  test("lets in HTTP and HTTPS, SSH from the operator, swarm from its own nodes, and nothing else", () => {
    const firewall = (name: string) =>
      only(declared, "digitalocean:index/firewall:Firewall", name).inputs;
    const everywhere = ["0.0.0.0/0", "::/0"];
    const ofOwnNodes = { sourceTags: ["archipelago-app"] };
    expect(firewall("network-web").inboundRules).toEqual([
      { protocol: "tcp", portRange: "80", sourceAddresses: everywhere },
      { protocol: "tcp", portRange: "443", sourceAddresses: everywhere },
    ]);
    expect(firewall("network").inboundRules).toEqual([
      { protocol: "tcp", portRange: "22", sourceAddresses: ["198.51.100.7/32"] },
      { protocol: "tcp", portRange: "2377", ...ofOwnNodes },
      { protocol: "tcp", portRange: "7946", ...ofOwnNodes },
      { protocol: "udp", portRange: "7946", ...ofOwnNodes },
      { protocol: "udp", portRange: "4789", ...ofOwnNodes },
    ]);
    expect(firewall("network").tags).toEqual(["archipelago-app"]);
  });

  test("keeps secrets out of user data, but for the one-time host key", () => {
    const { inputs } = only(declared, "digitalocean:index/droplet:Droplet", "manager-1");
    const text = JSON.stringify(inputs.userData);
    expect(text).toContain("one-time private key");
    expect(text).not.toMatch(/hunter2|generated-password/);
    expect(inputs).toMatchObject({
      resizeDisk: false,
      size: "s-2vcpu-4gb",
      tags: ["archipelago-app", "archipelago-app-manager", "archipelago-app-ingress"],
    });
  });

  test("gives secrets to services as files only, never in their environment", () => {
    const specs = declared.filter(({ type }) => type === "docker:index/service:Service");
    const text = JSON.stringify(specs.map(({ inputs }) => inputs));
    expect(text).not.toMatch(/hunter2|generated-password/);
    expect(container(declared, "web")).toMatchObject({
      env: { DATABASE_URL_FILE: "/run/secrets/database_url", PORT: "3000" },
      secrets: [{ fileName: "api_key" }, { fileName: "database_url" }],
    });
    const job = only(declared, "swarm:index:Job", "web-release");
    expect(JSON.stringify(job.inputs)).not.toMatch(/hunter2|generated-password/);
  });

  test("starts stateless tasks before it stops old ones, and stops those with files first", () => {
    const order = (name: string) =>
      only(declared, "docker:index/service:Service", name).inputs.updateConfig;
    expect(order("web")).toMatchObject({ order: "start-first", failureAction: "rollback" });
    expect(order("files")).toMatchObject({ order: "stop-first" });
    expect(order("postgres")).toMatchObject({ order: "stop-first" });
  });

  test("keeps what must outlive tasks on the Volume", () => {
    expect(container(declared, "postgres").mounts).toContainEqual({
      type: "bind",
      source: "/mnt/data/postgres",
      target: "/var/lib/postgresql/data",
    });
    expect(container(declared, "files").mounts).toEqual([
      { type: "bind", source: "/mnt/data/services/files", target: "/data" },
    ]);
  });

  test("reaches the engine with the node's permanent host key pinned", () => {
    const provider = only(declared, "pulumi:providers:docker", "swarm");
    const options = JSON.stringify(provider.inputs.sshOpts);
    expect(options).toContain("ssh-ed25519 PINNED");
    expect(options).toContain("StrictHostKeyChecking=yes");
    expect(provider.inputs.host).toBe("ssh://root@203.0.113.10");
  });
});

test("local stacks protect nothing, so that destroy just works", async () => {
  const declared = await declare({}, { ARCHIPELAGO_LOCAL: "1" });
  expect(declared.filter(({ options }) => options.protect)).toEqual([]);
});

test("without a database there is no PostgreSQL, and nothing that waits for one", async () => {
  const names = (await declare({ database: "none" })).map(short);
  expect(names.filter((name) => /postgres|pgbouncer|database/.test(name))).toEqual([]);
});

test("simulated machines get what DigitalOcean provides, and nothing that needs a running one", async () => {
  const declared = await declare({}, { ARCHIPELAGO_MACHINES: "simulated" });
  const modules = new Set(declared.map(({ type }) => type.split(":")[0]));
  expect([...modules].sort()).toEqual(["archipelago", "digitalocean"]);
});

test("an address of the account is assigned, never created", async () => {
  const declared = await declare({ floatingIp: { existing: "203.0.113.99" } });
  expect(declared.map(short)).not.toContain("ReservedIp address");
  const { inputs } = only(
    declared,
    "digitalocean:index/reservedIpAssignment:ReservedIpAssignment",
    "address",
  );
  expect(inputs.ipAddress).toBe("203.0.113.99");
});

test("a domain gets its zone and a record for each name, and a zone of the account only records", async () => {
  const domain = { name: "www.example.com", zone: "example.com" };
  const created = (await declare({ domain }))
    .map(short)
    .filter((name) => /^(Domain|DnsRecord)/.test(name));
  expect(created.sort()).toEqual([
    "DnsRecord dns-files.example.com",
    "DnsRecord dns-www.example.com",
    "Domain dns",
  ]);
  const records = (await declare({ domain: { ...domain, dns: "existing" } })).map(short);
  expect(records).not.toContain("Domain dns");
  expect(records).toContain("DnsRecord dns-www.example.com");
});

import { declare as declareStack, emptyAccount, short } from "./declare";
import { type Declared, only } from "./recorder";

// It would make a directory in the home of whoever runs the tests.
jest.mock("../../components/ssh-directory", () => ({
  prepareSshDirectory: () => undefined,
}));

const services = {
  web: { build: { context: "examples/notes" }, port: 3000, routes: ["/"] },
  api: { image: "acme/api@sha256:0123456789abcdef0123", port: 8080, database: "own" },
};
const declare = (given: object = {}, account = emptyAccount) =>
  declareStack(
    "swarm",
    {
      services,
      managers: 3,
      workers: 1,
      registry: "digitalocean",
      ...given,
    },
    { account },
  );

const names = (declared: readonly Declared[], type: string) =>
  declared.filter((one) => one.type === type).map(({ name }) => name);
const inbound = (declared: readonly Declared[], name: string) =>
  only(declared, "digitalocean:index/firewall:Firewall", name).inputs.inboundRules as object[];
const service = (declared: readonly Declared[], name: string) =>
  only(declared, "docker:index/service:Service", name).inputs as {
    readonly mode: object;
    readonly updateConfig: object;
    readonly taskSpec: {
      readonly placement: object;
      readonly containerSpec: Record<string, unknown>;
    };
  };

describe("the swarm topology, as declared", () => {
  let declared: Declared[];
  beforeAll(async () => {
    declared = await declare();
  });

  test("is exactly these resources", () => {
    expect(declared.map(short).sort()).toMatchSnapshot();
  });

  test("has each node by its name, which joins by itself, with the tags and labels that select it", () => {
    const nodes = ["manager-1", "manager-2", "manager-3", "worker-1"];
    expect(names(declared, "digitalocean:index/droplet:Droplet").sort()).toEqual(nodes);
    const droplet = only(declared, "digitalocean:index/droplet:Droplet", "worker-1");
    expect(droplet.inputs.tags).toEqual([
      "archipelago-app",
      "archipelago-app-worker",
      "archipelago-app-ingress",
    ]);
    const members = nodes.map((name) => only(declared, "swarm:index:Node", name));
    expect(members.map(({ inputs }) => inputs.cluster)).toEqual(nodes.map(() => "swarm-id"));
    for (const { options } of members) expect(options.deletedWith).toMatch(/Cluster::swarm$/);
    const { labels } = only(declared, "swarm:index:Node", "worker-1").inputs;
    expect(labels).toEqual({ pool: "worker", vcpus: "2", ingress: "true" });
  });

  test("lets in SSH from the operator, swarm from its own nodes and HTTP from its balancer, and nothing else", () => {
    expect(inbound(declared, "network")).toEqual([
      { protocol: "tcp", portRange: "22", sourceAddresses: ["198.51.100.7/32"] },
      { protocol: "tcp", portRange: "2377", sourceTags: ["archipelago-app"] },
      { protocol: "tcp", portRange: "7946", sourceTags: ["archipelago-app"] },
      { protocol: "udp", portRange: "7946", sourceTags: ["archipelago-app"] },
      { protocol: "udp", portRange: "4789", sourceTags: ["archipelago-app"] },
    ]);
    expect(inbound(declared, "front")).toEqual([
      { protocol: "tcp", portRange: "80", sourceLoadBalancerUids: ["front-id"] },
    ]);
  });

  test("asks each node every 3 s whether it takes requests, and gives up after two failures", () => {
    const { inputs } = only(declared, "digitalocean:index/loadBalancer:LoadBalancer", "front");
    expect(inputs.healthcheck).toMatchObject({
      path: "/archipelago/health",
      checkIntervalSeconds: 3,
      unhealthyThreshold: 2,
    });
    expect(inputs.dropletTag).toBe("archipelago-app-ingress");
  });

  test("builds an image once, and has every node pull exactly what was pushed", () => {
    expect(names(declared, "docker:index/registryImage:RegistryImage")).toEqual(["web"]);
    expect(service(declared, "web").taskSpec.containerSpec.image).toBe(
      "registry.digitalocean.com/archipelago-app/web@sha256:feedfacefeedface",
    );
    const provider = only(declared, "pulumi:providers:docker", "swarm").inputs;
    expect(JSON.stringify(provider.registryAuth)).toContain("push-token");
  });

  test("lets only its own nodes reach the database, and keeps its passwords out of every definition", () => {
    const { inputs } = only(
      declared,
      "digitalocean:index/databaseFirewall:DatabaseFirewall",
      "postgres",
    );
    expect(inputs.rules).toEqual([{ type: "tag", value: "archipelago-app" }]);
    const visible = declared.filter(({ type }) => /Service$|Job$|ServiceConfig$/.test(type));
    const text = JSON.stringify(visible.map(({ inputs: shown }) => shown));
    expect(text).not.toMatch(/administrator-password|user-password|push-token/);
  });

  test("gives a service that wants one a database and a user of its own", () => {
    expect(names(declared, "digitalocean:index/databaseUser:DatabaseUser").sort()).toEqual([
      "postgres-api",
      "postgres-app",
    ]);
    const secret = only(declared, "docker:index/secret:Secret", "api-database_url").inputs;
    expect(decoded(secret.data)).toBe("postgres://api:user-password@pgbouncer:6432/api");
  });

  test("reaches the database by TLS that is checked against its own authority", () => {
    const ini = decoded(
      only(declared, "docker:index/serviceConfig:ServiceConfig", "pgbouncer-ini").inputs.data,
    );
    expect(ini).toContain("server_tls_sslmode = verify-ca");
    expect(ini).toContain("app = host=private-app-postgres.db.example port=25061 dbname=app_pool");
  });

  test("spreads tasks over nodes, and starts each new one before an old one stops", () => {
    const { taskSpec, updateConfig } = service(declared, "web");
    expect(taskSpec.placement).toEqual({ prefs: ["spread=node.id"] });
    expect(updateConfig).toMatchObject({ order: "start-first", failureAction: "rollback" });
  });

  test("protects data and addresses; nodes come and go", () => {
    const kept = declared.filter(({ options }) => options.protect).map(short);
    expect(kept.sort()).toEqual([
      "DatabaseCluster postgres",
      "DatabaseDb postgres-api",
      "DatabaseDb postgres-app",
      "LoadBalancer front",
    ]);
    for (const { options } of declared.filter(({ type }) => type.endsWith(":Droplet"))) {
      expect(options).toMatchObject({ deleteBeforeReplace: false, replaceOnChanges: ["size"] });
    }
  });
});

test("single-node grows into a swarm and on to ha with the same network, Volume, address and first node", async () => {
  const account = {
    ...emptyAccount,
    volume: { sizeGib: 10, dropletIds: [1] },
    fleet: { ...emptyAccount.fleet, reservedIp: "203.0.113.20" },
  };
  const shared = (all: readonly Declared[]) =>
    all
      .filter(
        ({ type, name }) =>
          /:(Vpc|Volume|VolumeAttachment|ReservedIp|ReservedIpAssignment)$/.test(type) ||
          (type.endsWith(":Droplet") && name === "manager-1"),
      )
      .map(({ type, name, inputs }) => ({ type, name, inputs }));
  const single = shared(await declareStack("single-node", { services }));
  expect(single).toHaveLength(6);
  expect(shared(await declare({}, account))).toEqual(single);
  expect(shared(await declareStack("ha", { services }, { account }))).toEqual(single);
});

test("a domain gets a certificate at the Load Balancer, which proves it by a zone that is there before", async () => {
  const declared = await declare({ domain: "app.example.com" });
  const balancer = only(declared, "digitalocean:index/loadBalancer:LoadBalancer", "front").inputs;
  const { inputs: certificate } = only(
    declared,
    "digitalocean:index/certificate:Certificate",
    "front",
  );
  expect(certificate).toMatchObject({ type: "lets_encrypt", domains: ["app.example.com"] });
  expect(balancer).toMatchObject({
    redirectHttpToHttps: true,
    forwardingRules: [
      { entryProtocol: "http", entryPort: 80 },
      { entryProtocol: "https", entryPort: 443, certificateName: certificate.name },
    ],
  });
  const order = declared.map(short);
  expect(order.indexOf("Domain dns")).toBeLessThan(order.indexOf("Certificate front"));
  const record = only(declared, "digitalocean:index/dnsRecord:DnsRecord", "dns-app.example.com");
  expect(record.inputs.value).toBe("203.0.113.30");
});

test("a floating IP leads to one manager, and only that one runs the edge", async () => {
  const declared = await declare({ ingress: "floating-ip" });
  expect(names(declared, "digitalocean:index/loadBalancer:LoadBalancer")).toEqual([]);
  const labels = ["manager-1", "manager-2", "worker-1"].map(
    (name) =>
      (only(declared, "swarm:index:Node", name).inputs.labels as { ingress?: string }).ingress,
  );
  expect(labels).toEqual(["true", undefined, undefined]);
});

test("a cache is a service with a password, or a cluster that only the nodes reach", async () => {
  const container = await declare({ cache: "container" });
  const url = (declared: readonly Declared[]) =>
    decoded(only(declared, "docker:index/secret:Secret", "web-cache_url").inputs.data);
  expect(url(container)).toBe("redis://default:generated-password@cache:6379");
  const managed = await declare({ cache: "managed" });
  expect(url(managed)).toMatch(/^rediss:\/\/doadmin:administrator-password@private-/);
  expect(service(managed, "web").taskSpec.containerSpec.env).toMatchObject({
    CACHE_URL_FILE: "/run/secrets/cache_url",
    CACHE_CA_FILE: "/run/secrets/cache_ca",
  });
});

test("a service with a schedule is no service of the swarm, and what it runs with holds no secret", async () => {
  const report = { image: "acme/report@sha256:0123456789abcdef0123", schedule: "0 3 * * *" };
  const declared = await declare({ services: { ...services, report } });
  expect(names(declared, "docker:index/service:Service")).toContain("scheduler");
  expect(names(declared, "docker:index/service:Service")).not.toContain("report");
  const list = only(declared, "docker:index/serviceConfig:ServiceConfig", "scheduler-jobs").inputs;
  const jobs = JSON.parse(decoded(list.data)) as { task: { ContainerSpec: object } }[];
  expect(jobs).toMatchObject([
    {
      name: "report",
      schedule: "0 3 * * *",
      task: {
        ContainerSpec: {
          Image: report.image,
          Secrets: [{ SecretID: "report-database_url-id" }],
        },
        RestartPolicy: { Condition: "none" },
      },
    },
  ]);
  expect(JSON.stringify(jobs)).not.toMatch(/user-password|push-token/);
});

test("a registry of one's own is pushed to and pulled from with its login", async () => {
  const registry = { server: "ghcr.io/acme", username: "bot", password: "hunter2" };
  const declared = await declare({ registry });
  expect(names(declared, "digitalocean:index/containerRegistry:ContainerRegistry")).toEqual([]);
  expect(service(declared, "web").taskSpec.containerSpec.image).toMatch(
    /^ghcr\.io\/acme\/web@sha256:/,
  );
  const provider = only(declared, "pulumi:providers:docker", "swarm").inputs;
  expect(JSON.stringify(provider.registryAuth)).toContain("ghcr.io");
});

describe("the ha topology, as declared", () => {
  let declared: Declared[];
  beforeAll(async () => {
    declared = await declareStack("ha", { services });
  });

  test("has every part twice", () => {
    const { inputs } = only(declared, "digitalocean:index/loadBalancer:LoadBalancer", "front");
    expect(inputs.sizeUnit).toBe(2);
    const database = only(
      declared,
      "digitalocean:index/databaseCluster:DatabaseCluster",
      "postgres",
    );
    expect(database.inputs).toMatchObject({ nodeCount: 2, size: "db-s-1vcpu-2gb" });
    expect(service(declared, "pgbouncer").mode).toEqual({ replicated: { replicas: 2 } });
    expect(names(declared, "digitalocean:index/databaseReplica:DatabaseReplica")).toEqual([
      "postgres-replica-1",
    ]);
  });

  test("tells the account's owner about nodes, Load Balancer and database, and asks the app from outside", () => {
    const alarms = declared.filter(({ type }) => type.endsWith(":MonitorAlert"));
    expect(alarms.map(({ name }) => name).sort()).toEqual([
      "alarms-balancer-connections",
      "alarms-balancer-errors",
      "alarms-cpu",
      "alarms-database-cpu",
      "alarms-database-disk",
      "alarms-database-memory",
      "alarms-disk",
      "alarms-memory",
    ]);
    for (const { inputs } of alarms) {
      expect(inputs.alerts).toEqual({ emails: ["owner@example.com"] });
    }
    const { inputs } = only(declared, "digitalocean:index/uptimeCheck:UptimeCheck", "alarms");
    expect(inputs.target).toBe("http://203.0.113.30/");
  });
});

function decoded(data: unknown): string {
  const secret = data as { readonly value?: string } | string;
  const text = typeof secret === "string" ? secret : (secret.value ?? "");
  return Buffer.from(text, "base64").toString();
}

test("a roll holds the nodes whose turn has not come, and lets other user data replace the others", async () => {
  const roll = { held: ["worker-1"], userData: true };
  const declared = await declareStack(
    "swarm",
    { services, managers: 3, workers: 1, registry: "digitalocean" },
    { env: { ARCHIPELAGO_ROLL: JSON.stringify(roll) } },
  );
  const ignored = (type: string, name: string) => only(declared, type, name).options.ignoreChanges;
  const droplet = "digitalocean:index/droplet:Droplet";
  expect(ignored(droplet, "worker-1")).toEqual([
    "sshKeys",
    "userData",
    "monitoring",
    "image",
    "size",
  ]);
  expect(ignored("swarm:index:Node", "worker-1")).toEqual(["dropletSize", "labels"]);
  expect(ignored(droplet, "manager-2")).toEqual(["sshKeys", "monitoring"]);
  expect(ignored("swarm:index:Node", "manager-2")).toEqual([]);
});

import * as fc from "fast-check";
import { describeFault, StackFaults } from "../../../infra/faults";
import { fromPulumi, readStackFile } from "../../../infra/stack-file";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M";
const surroundings = { stack: "single-node", env: {}, root: process.cwd() };
const web = { image: "acme/web:1", port: 3000, routes: ["/"] };
const minimal = { region: "fra1", sshKeys: [KEY], services: { web } };

const read = (given: object, changed: object = {}) =>
  readStackFile({ ...minimal, ...given }, { ...surroundings, ...changed });
const report = (given: object, changed: object = {}) =>
  read(given, changed).faults.map(describeFault);
const service = (given: object) => ({ services: { web: { ...web, ...given } } });

describe("the nodes of a swarm", () => {
  const nodesOf = (given: object) => {
    const { config, faults } = read({ topology: "swarm", ...given });
    expect(faults).toEqual([]);
    return config.nodes;
  };

  test("are named by pool and number, managers first", () => {
    expect(nodesOf({ managers: 1, workers: { count: 2, size: "big" } })).toEqual({
      "manager-1": { size: "s-2vcpu-4gb", role: "manager" },
      "worker-1": { size: "big", role: "worker" },
      "worker-2": { size: "big", role: "worker" },
    });
  });

  test("keep their names when one retires, whose place the next number takes", () => {
    const nodes = { "manager-1": { retired: true }, "worker-2": { size: "big" } };
    expect(nodesOf({ nodes })).toEqual({
      "manager-2": { size: "s-2vcpu-4gb", role: "manager" },
      "manager-3": { size: "s-2vcpu-4gb", role: "manager" },
      "manager-4": { size: "s-2vcpu-4gb", role: "manager" },
      "worker-1": { size: "s-2vcpu-4gb", role: "worker" },
      "worker-2": { size: "big", role: "worker" },
    });
  });

  test("are as many as asked for, whichever retire, and no retired one is among them", () => {
    const count = fc.constantFrom(1, 3, 5, 7);
    const retired = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 9 });
    fc.assert(
      fc.property(count, retired, (managers, numbers) => {
        const names = numbers.map((number) => `manager-${number}`);
        const nodes = Object.fromEntries(names.map((name) => [name, { retired: true }]));
        const present = Object.keys(nodesOf({ managers, workers: 0, nodes }));
        expect(present).toHaveLength(managers);
        expect(present.filter((name) => names.includes(name))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

test("each topology brings its own defaults, so that a stack file may say as little", () => {
  const of = (topology: string) => {
    const { ingress, database, loadBalancer } = read({ topology }).config;
    const { engine, size, nodes, replicas } = database;
    return [ingress, loadBalancer.nodes, engine, size, nodes, replicas];
  };
  expect(of("single-node")).toEqual(["floating-ip", 1, "container", "db-s-1vcpu-1gb", 1, 0]);
  expect(of("swarm")).toEqual(["load-balancer", 1, "managed", "db-s-1vcpu-1gb", 1, 0]);
  expect(of("ha")).toEqual(["load-balancer", 2, "managed", "db-s-1vcpu-2gb", 2, 1]);
});

describe("a stack file that says little", () => {
  test("gets a node, a database and an address without asking for any", () => {
    const { config, faults } = read({});
    expect(faults).toEqual([]);
    expect(config).toMatchObject({
      topology: "single-node",
      vpcCidr: "10.65.80.0/20",
      nodes: { "manager-1": { size: "s-2vcpu-4gb" } },
      image: "debian-12-x64",
      sshFrom: ["me"],
      database: { engine: "container", version: "15", volumeGib: 10 },
      protect: true,
      machines: "real",
      sshKeys: [{ publicKey: KEY }],
    });
    expect(config.services.web).toMatchObject({
      replicas: 1,
      health: { path: "/", intervalSeconds: 5, timeoutSeconds: 3, retries: 3 },
      resources: { memoryMib: 512 },
    });
  });

  test("numbers and booleans mean the same as text, where Pulumi hands them over so", () => {
    const spelled = fromPulumi({
      "archipelago:protect": "true",
      "archipelago:database": '{"engine":"container","version":15,"volumeGib":"20"}',
      "archipelago:services":
        '{"web":{"image":"a","port":"3000","environment":{"DEBUG":true,"LEVEL":3}}}',
      "digitalocean:token": "not ours",
    });
    const { config, faults } = read(spelled);
    expect(faults).toEqual([]);
    expect(config.database).toMatchObject({ version: "15", volumeGib: 20 });
    expect(config.services.web).toMatchObject({
      port: 3000,
      environment: { DEBUG: "true", LEVEL: "3" },
    });
  });

  test("may use the short forms", () => {
    const { config, faults } = read({
      database: "none",
      domain: "app.example.com",
      sshFrom: "10.1.0.0/16",
    });
    expect(faults).toEqual([]);
    expect(config).toMatchObject({
      database: { engine: "none", volumeGib: 10 },
      domain: { name: "app.example.com", dns: "create" },
      sshFrom: ["10.1.0.0/16"],
    });
  });
});

describe("where a stack runs", () => {
  test("data is protected in the cloud, and configuration cannot take that away", () => {
    expect(read({}).config.protect).toBe(true);
    expect(report({ protect: false })).toEqual([
      "archipelago:protect must be true in the cloud, where configuration can only make protection stricter, got false; to destroy a stack, first run pulumi state unprotect --all",
    ]);
  });

  test("local stacks can be destroyed, unless they say otherwise", () => {
    const local = { env: { ARCHIPELAGO_LOCAL: "1" } };
    expect(read({}, local).config.protect).toBe(false);
    expect(read({ protect: false }, local).faults).toEqual([]);
    expect(read({ protect: true }, local).config.protect).toBe(true);
  });

  test("simulated machines are told by the environment", () => {
    const env = { ARCHIPELAGO_MACHINES: "simulated" };
    expect(read({}, { env }).config.machines).toBe("simulated");
  });
});

test.each<[string, object, string[]]>([
  [
    "port 0",
    service({ port: 0 }),
    ["archipelago:services.web.port must be an integer from 1 to 65535, got 0"],
  ],
  [
    "a port with a leading zero",
    service({ port: "080" }),
    ['archipelago:services.web.port must be an integer from 1 to 65535, got "080"'],
  ],
  [
    "a misspelt key",
    { regoin: "fra1" },
    ["archipelago:regoin is not a known key; did you mean region?"],
  ],
  [
    "an unknown key deep inside",
    service({ health: { colour: "red" } }),
    [
      "archipelago:services.web.health.colour is not a known key; known keys: path, intervalSeconds, timeoutSeconds, retries, startPeriodSeconds",
    ],
  ],
  [
    "no region",
    { region: undefined },
    ["archipelago:region is missing; it must be a DigitalOcean region slug such as fra1"],
  ],
  [
    "two services on one route",
    { services: { web, api: { ...web, routes: ["/api", "/"] } } },
    [
      'archipelago:services.api.routes[1] must be another route than archipelago:services.web.routes[0], got "/"',
    ],
  ],
  [
    "the same route with and without a slash at its end",
    { services: { web: { ...web, routes: ["/x/"] }, api: { ...web, routes: ["/x"] } } },
    [
      'archipelago:services.api.routes[0] must be another route than archipelago:services.web.routes[0], got "/x"',
    ],
  ],
  [
    "a VPC on Docker's ranges",
    { vpcCidr: "172.20.0.0/16" },
    [
      "archipelago:vpcCidr must not overlap 172.20.0.0/14, which Docker uses on every node (overlay), got 172.20.0.0/16; 10.64.0.0/11 has room",
    ],
  ],
  [
    "a VPC that is too large",
    { vpcCidr: "10.0.0.0/8" },
    ["archipelago:vpcCidr must be between /16 and /28 in size, got 10.0.0.0/8"],
  ],
  [
    "a VPC of public addresses",
    { vpcCidr: "8.8.0.0/16" },
    ["archipelago:vpcCidr must lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, got 8.8.0.0/16"],
  ],
  [
    "replicas that share files",
    service({ volume: "/data", replicas: 2 }),
    [
      "archipelago:services.web.replicas must be 1 for a service with a volume, whose files only one task may write, got 2",
    ],
  ],
  [
    "neither image nor build",
    service({ image: undefined }),
    ["archipelago:services.web must have either image or build, got neither"],
  ],
  [
    "a build context that is not there",
    service({ image: undefined, build: { context: "nowhere" } }),
    ['archipelago:services.web.build.context must be a directory that exists, got "nowhere"'],
  ],
  [
    "a build context outside the checkout",
    service({ image: undefined, build: { context: "../x" } }),
    ['archipelago:services.web.build.context must lie inside the checkout, got "../x"'],
  ],
  [
    "routes without a port",
    service({ port: undefined }),
    ["archipelago:services.web.port is missing; a service with routes needs one"],
  ],
  [
    "a name that Archipelago needs",
    { services: { edge: web } },
    ["archipelago:services.edge must have another name: edge is the edge proxy"],
  ],
  [
    "a secret that Archipelago gives",
    service({ secrets: { database_url: "x" } }),
    [
      "archipelago:services.web.secrets.database_url must have another name: Archipelago gives every service this file itself",
    ],
  ],
  [
    "two nodes",
    { nodes: { a: {}, b: {} } },
    ["archipelago:nodes must name one node in the single-node topology, got a, b"],
  ],
  [
    "an even number of managers, which has no more safety than one less,",
    { topology: "swarm", managers: 2 },
    ["archipelago:managers must be 1, 3, 5 or 7, got 2"],
  ],
  [
    "pools in a topology of one node",
    { managers: 3, workers: { count: 1 } },
    [
      "archipelago:managers must be left out in the single-node topology, which has one node",
      "archipelago:workers must be left out in the single-node topology, which has one node",
    ],
  ],
  [
    "the only node, retired",
    { nodes: { "manager-1": { retired: true } } },
    ["archipelago:nodes.manager-1.retired must be false: it is the only node"],
  ],
  [
    "a node that no pool has",
    { topology: "swarm", managers: 1, workers: 1, nodes: { "worker-2": { size: "big" }, a: {} } },
    [
      "archipelago:nodes.worker-2 must be a node that its pool has: manager-1, worker-1",
      "archipelago:nodes.a must be named for its pool and number, such as manager-1 or worker-2",
    ],
  ],
  [
    "a Load Balancer before one node",
    { ingress: "load-balancer" },
    ['archipelago:ingress must be floating-ip in the single-node topology, got "load-balancer"'],
  ],
  [
    "a lone node that nobody could reach",
    { privateNodes: true },
    [
      "archipelago:privateNodes must be left out in the single-node topology, whose node takes requests itself, got true",
    ],
  ],
  [
    "a floating IP that leads to no public address",
    { topology: "swarm", ingress: "floating-ip", privateNodes: { bastionSize: "s-1vcpu-1gb" } },
    [
      "archipelago:privateNodes must be left out with ingress: floating-ip, which leads to a node's public address, got true; or leave out archipelago:ingress, for a Load Balancer",
    ],
  ],
  [
    "a certificate that nobody can prove",
    { topology: "swarm", domain: { name: "app.example.com", dns: "none" } },
    [
      'archipelago:domain.dns must be create or existing with a Load Balancer, whose certificate is proved by DigitalOcean\'s DNS, got "none"',
    ],
  ],
  [
    "an address that a Load Balancer cannot have",
    { topology: "swarm", floatingIp: { existing: "203.0.113.5" } },
    [
      "archipelago:floatingIp.existing must be left out with a Load Balancer, which has an address of its own",
    ],
  ],
  [
    "high availability without a second of anything",
    {
      topology: "ha",
      managers: 1,
      loadBalancer: { nodes: 1 },
      database: { nodes: 1, size: "db-s-1vcpu-2gb" },
    },
    [
      "archipelago:managers must be 3, 5 or 7 in the ha topology: one manager keeps no quorum when it fails, got 1",
      "archipelago:loadBalancer.nodes must be 2 or more in the ha topology: one has nothing to take over from it, got 1",
      "archipelago:database.nodes must be 2 or 3 in the ha topology: one node has no standby, got 1",
    ],
  ],
  [
    "a migration that is none",
    { topology: "swarm", database: { engine: "managed", migrateTo: "managed" } },
    [
      'archipelago:database.migrateTo must be left out unless the engine is container: only that one can be moved from, got "managed"',
    ],
  ],
  [
    "a standby on a plan that has none",
    {
      topology: "swarm",
      database: { engine: "managed", nodes: 2 },
      cache: { engine: "managed", nodes: 2 },
    },
    [
      'archipelago:database.size must have at least 2 GB of memory, which standbys need, got "db-s-1vcpu-1gb"; for example db-s-1vcpu-2gb',
      'archipelago:cache.size must have at least 2 GB of memory, which standbys need, got "db-s-1vcpu-1gb"; for example db-s-1vcpu-2gb',
    ],
  ],
  [
    "more databases than a plan has sessions for",
    {
      topology: "swarm",
      database: "managed",
      services: Object.fromEntries(
        ["a", "b", "c", "d", "e", "f"].map((name) => [
          name,
          { image: "acme/web:1", database: "own" },
        ]),
      ),
    },
    [
      'archipelago:database.size must be larger: 7 databases share the sessions that its memory allows, got "db-s-1vcpu-1gb"',
    ],
  ],
  [
    "a database of its own where there is none",
    { database: "none", ...service({ database: "own" }) },
    ['archipelago:services.web.database must be none, because archipelago:database is, got "own"'],
  ],
  [
    "half a login",
    { registry: { server: "ghcr.io/acme", username: "bot" } },
    ["archipelago:registry.password is missing; a login needs both"],
  ],
  [
    "a schedule that never comes",
    { services: { web, report: { image: "acme/report:1", schedule: "0 0 31 2 *" } } },
    [
      'archipelago:services.report.schedule must be five fields of cron such as "0 3 * * *", got "0 0 31 2 *"',
    ],
  ],
  [
    "a scheduled job that takes requests",
    service({ schedule: "0 3 * * *", replicas: 2 }),
    [
      "archipelago:services.web.routes must be left out of a service with a schedule, which runs one task to its end",
      "archipelago:services.web.replicas must be left out of a service with a schedule, which runs one task to its end",
    ],
  ],
  [
    "a database that is none of ours",
    { database: "mysql" },
    ['archipelago:database must be managed or container or none, got "mysql"'],
  ],
  [
    "SSH from an address with host bits",
    { sshFrom: ["10.0.0.1/8"] },
    [
      'archipelago:sshFrom[0] must be me or a CIDR whose address is the first of its range, got "10.0.0.1/8"',
    ],
  ],
  [
    "a zone that does not hold the name",
    { domain: { name: "app.example.com", zone: "example.org" } },
    ['archipelago:domain.zone must be app.example.com or a domain that ends it, got "example.org"'],
  ],
  [
    "an address that is none",
    { floatingIp: { existing: "1.2.3.400" } },
    ['archipelago:floatingIp.existing must be an IPv4 address, got "1.2.3.400"'],
  ],
  [
    "a key file that is not there",
    { sshKeys: ["./nowhere.pub"] },
    ['archipelago:sshKeys[0] must be a file that holds an OpenSSH public key, got "./nowhere.pub"'],
  ],
])("%s is named with its path, what is allowed and what was got", (_name, given, expected) => {
  expect(report(given)).toEqual(expected);
});

test("a stack whose name is no topology says where the value came from", () => {
  expect(report({}, { stack: "production" })).toEqual([
    'archipelago:topology must be single-node or swarm or ha, got "production"; it was taken from the stack\'s name; set archipelago:topology',
  ]);
});

test("faults of every kind come together, and none hides another", () => {
  const faults = report({
    region: "Frankfurt",
    vpcCidr: "172.17.0.0/16",
    databse: "none",
    services: { web: { ...web, port: 0 }, api: { ...web, replicas: 0, routes: ["/"] } },
  });
  expect(faults).toHaveLength(6);
});

test("the values of secrets and environment never appear in a report", () => {
  const given = service({
    secrets: { KEY: ["hunter2"], "bad name": "hunter2" },
    environment: { A: { b: "hunter2" } },
  });
  const { faults } = read(given);
  expect(faults).toHaveLength(3);
  expect(new StackFaults("s", faults).message).not.toContain("hunter2");
});

test("whatever a stack file holds, the outcome is a report or a valid configuration", () => {
  const key = fc.oneof(
    fc.constantFrom("region", "services", "nodes", "database", "domain", "sshFrom", "web", "port"),
    fc.string(),
  );
  const tree = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(fc.dictionary(key, tree, { maxKeys: 6 }), (given) => {
      const { config, faults } = readStackFile(given, surroundings);
      for (const fault of faults) expect(describeFault(fault)).toMatch(/ (must|is) /);
      if (faults.length === 0) expect(config.region).toBeDefined();
    }),
    { numRuns: 300 },
  );
});

test("every valid file is read as it was written", () => {
  const name = fc
    .stringMatching(/^[a-z][a-z0-9]{0,8}$/)
    .filter((text) => !["edge", "postgres", "pgbouncer"].includes(text));
  const one = fc.record({
    image: fc.constantFrom("acme/web:1", "web@sha256:00"),
    port: fc.integer({ min: 1, max: 65535 }),
    replicas: fc.integer({ min: 1, max: 100 }),
    environment: fc.dictionary(fc.stringMatching(/^[A-Z_]{1,8}$/), fc.string(), { maxKeys: 3 }),
  });
  fc.assert(
    fc.property(fc.dictionary(name, one, { maxKeys: 4 }), (services) => {
      const { config, faults } = read({ services });
      expect(faults).toEqual([]);
      for (const [key, value] of Object.entries(services)) {
        expect(config.services[key]).toMatchObject(value);
      }
    }),
    { numRuns: 100 },
  );
});

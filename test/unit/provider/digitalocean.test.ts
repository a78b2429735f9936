import { ApiClient } from "../../../local/provider/digitalocean/client";
import { functions } from "../../../local/provider/digitalocean/functions";
import { certificate } from "../../../local/provider/digitalocean/resources/certificate";
import { containerRegistryDockerCredentials } from "../../../local/provider/digitalocean/resources/container-registry";
import { databaseCluster } from "../../../local/provider/digitalocean/resources/database/cluster";
import { databasePostgresqlConfig } from "../../../local/provider/digitalocean/resources/database/config";
import { databaseFirewall } from "../../../local/provider/digitalocean/resources/database/firewall";
import { databaseReplica } from "../../../local/provider/digitalocean/resources/database/replica";
import { databaseUser } from "../../../local/provider/digitalocean/resources/database/user";
import { loadBalancer } from "../../../local/provider/digitalocean/resources/load-balancer";
import { check } from "../../../local/provider/framework/check";
import { diff } from "../../../local/provider/framework/diff";
import { mergedState } from "../../../local/provider/framework/lifecycle";
import type { ResourceType } from "../../../local/provider/framework/provider";
import { Secret, type Values } from "../../../local/provider/framework/values";
import { ScriptedServer, type Answer, type Asked } from "./scripted-server";

let api: ScriptedServer;
afterEach(() => api.stop());

async function start(
  answers: Record<string, Answer | ((asked: Asked) => Answer)>,
): Promise<ApiClient> {
  api = await ScriptedServer.start(
    Object.fromEntries(
      Object.entries(answers).map(([key, answer]) => [key.replace(" /", " /v2/"), answer]),
    ),
  );
  return new ApiClient({
    endpoint: api.url,
    token: "t",
    retryMax: 0,
    retryWaitMinSeconds: 0,
    retryWaitMaxSeconds: 0,
    requestsPerSecond: 0,
  });
}

const creation = { exists: () => undefined, gone: () => undefined };

/** The inputs as the engine gives them to a provider: checked, with defaults. */
function inputsOf(type: ResourceType<ApiClient>, given: Values): Values {
  const { inputs, failures } = check(type.inputs, {}, given, undefined);
  expect([...failures, ...(type.validate?.(inputs, {}) ?? [])]).toEqual([]);
  return inputs;
}

describe("a Load Balancer", () => {
  const rule = { entryProtocol: "https", entryPort: 443, targetProtocol: "http", targetPort: 80 };
  const given = {
    name: "front",
    region: "fra1",
    dropletTag: "web",
    forwardingRules: [{ ...rule, certificateName: "le" }],
    healthcheck: { protocol: "http", port: 80, path: "/up" },
  };
  const view = {
    id: "lb-1",
    name: "front",
    status: "active",
    ip: "127.9.0.1",
    size_unit: 1,
    algorithm: "round_robin",
    region: { slug: "fra1" },
    tag: "web",
    droplet_ids: [1, 2],
    forwarding_rules: [
      {
        entry_protocol: "https",
        entry_port: 443,
        target_protocol: "http",
        target_port: 80,
        certificate_id: "uuid-1",
        tls_passthrough: false,
      },
    ],
    health_check: {
      protocol: "http",
      port: 80,
      path: "/up",
      check_interval_seconds: 10,
      response_timeout_seconds: 5,
      unhealthy_threshold: 3,
      healthy_threshold: 5,
    },
    sticky_sessions: { type: "cookies", cookie_name: "LB", cookie_ttl_seconds: 300 },
    firewall: { allow: [], deny: ["cidr:10.0.0.0/8"] },
    type: "REGIONAL",
  };
  const certificates = {
    "GET /certificates": [200, { certificates: [{ id: "uuid-1", name: "le" }] }],
    "GET /certificates/uuid-1": [200, { certificate: { id: "uuid-1", name: "le" } }],
  } as const;

  test("finds a certificate by its name, and shows no change when Let's Encrypt renews it", async () => {
    const client = await start({
      ...certificates,
      "POST /load_balancers": [202, { load_balancer: { ...view, status: "new" } }],
      "GET /load_balancers/lb-1": [200, { load_balancer: view }],
    });
    const inputs = inputsOf(loadBalancer, given);
    const { state } = await loadBalancer.create(client, inputs, creation);
    expect(api.bodies("POST")).toMatchObject([
      { tag: "web", forwarding_rules: [{ certificate_id: "uuid-1" }] },
    ]);
    expect(state).toMatchObject({
      ip: "127.9.0.1",
      loadBalancerUrn: "do:loadbalancer:lb-1",
      forwardingRules: [{ certificateId: "le", certificateName: "le" }],
    });
    const known = { ...inputs, ...state };
    expect(diff(loadBalancer.inputs, known, inputs)).toEqual([]);
    const other = { ...given, forwardingRules: [{ ...rule, certificateName: "other" }] };
    expect(diff(loadBalancer.inputs, known, inputsOf(loadBalancer, other))).not.toEqual([]);
  });

  test("keeps in an update what the program leaves open: DigitalOcean would reset it", async () => {
    const client = await start({
      ...certificates,
      "PUT /load_balancers/lb-1": [200, { load_balancer: view }],
      "GET /load_balancers/lb-1": [200, { load_balancer: view }],
    });
    const olds = (await loadBalancer.read(client, "lb-1", {}))?.state ?? {};
    const news = inputsOf(loadBalancer, { ...given, redirectHttpToHttps: true });
    const planned = { ...news, stickySessions: olds.stickySessions, firewall: olds.firewall };
    await loadBalancer.update?.(client, "lb-1", { olds, news, planned, changed: () => true });
    expect(api.bodies("PUT")).toMatchObject([
      {
        redirect_http_to_https: true,
        sticky_sessions: { type: "cookies", cookie_name: "LB" },
        firewall: { deny: ["cidr:10.0.0.0/8"] },
      },
    ]);
    expect(api.bodies("PUT")[0]).not.toHaveProperty("droplet_ids");
  });

  test.each([
    [{ region: undefined }, "missing 'region' value"],
    [{ type: "GLOBAL" }, "'region' must be empty or not set when 'type' is 'GLOBAL'"],
    [
      { healthcheck: { protocol: "http", port: 80 } },
      "health check `path` is required for when protocol is `http`",
    ],
    [
      { stickySessions: { type: "cookies", cookieTtlSeconds: 1 } },
      "sticky sessions `cookie_name` is required for when type is `cookie`",
    ],
    [{ dropletIds: [1] }, '"droplet_ids": conflicts with droplet_tag'],
  ])("with %j is refused before anything is created", async (fault, reason) => {
    await start({});
    const faults = loadBalancer.validate?.({ ...given, ...fault }, {}) ?? [];
    expect(faults.map((one) => one.reason)).toEqual([reason]);
  });
});

test("a custom certificate is kept as hashes, and its domains, read from it, are no change", async () => {
  const view = {
    id: "u",
    name: "own",
    type: "custom",
    state: "verified",
    dns_names: ["a.example"],
  };
  const client = await start({
    "POST /certificates": [201, { certificate: { ...view, state: "pending" } }],
    "GET /certificates/u": [200, { certificate: view }],
  });
  const given = { name: "own", privateKey: "key", leafCertificate: "leaf" };
  const inputs = inputsOf(certificate, given);
  const made = await certificate.create(client, inputs, creation);
  expect(made).toMatchObject({ id: "own", state: { uuid: "u", domains: ["a.example"] } });
  const state = mergedState(certificate, inputs, made.state);
  expect(JSON.stringify(state)).not.toMatch(/"key"|"leaf"/);
  const plain = { ...state, privateKey: (state.privateKey as Secret).value };
  expect(diff(certificate.inputs, plain, inputs)).toEqual([]);
});

describe("a database cluster", () => {
  const connection = {
    uri: "postgresql://doadmin:p%40ss@db.example:25060/defaultdb?sslmode=require",
    host: "db.example",
    port: 25060,
    user: "doadmin",
    password: "p@ss",
    database: "defaultdb",
  };
  const view = {
    id: "c",
    name: "main",
    engine: "pg",
    version: "15",
    size: "db-s-1vcpu-1gb",
    region: "fra1",
    num_nodes: 1,
    status: "online",
    connection,
    private_connection: {
      ...connection,
      uri: connection.uri.replace("db.", "private-db."),
      host: "private-db.example",
    },
    maintenance_window: { day: "monday", hour: "03:00:00" },
  };
  const given = {
    name: "main",
    engine: "pg",
    version: "15",
    size: "db-s-1vcpu-1gb",
    region: "FRA1",
    nodeCount: 1,
    maintenanceWindows: [{ day: "monday", hour: "03:00" }],
  };

  test("is waited for, also while the API does not know it yet, and then shows no change", async () => {
    const states: Answer[] = [
      [404, { message: "not found" }],
      [200, { database: { ...view, status: "creating" } }],
    ];
    const client = await start({
      "POST /databases": [201, { database: { ...view, status: "creating" } }],
      "PUT /databases/c/maintenance": [204, undefined],
      "GET /databases/c": () => states.shift() ?? [200, { database: view }],
    });
    const inputs = inputsOf(databaseCluster, given);
    const { state } = await databaseCluster.create(client, inputs, creation);
    expect(state).toMatchObject({
      clusterUrn: "do:dbaas:c",
      host: "db.example",
      privateHost: "private-db.example",
      privateUri: "postgresql://doadmin:p%40ss@private-db.example:25060/defaultdb?sslmode=require",
    });
    expect(diff(databaseCluster.inputs, state, inputs)).toEqual([]);
    const sealed = mergedState(databaseCluster, inputs, state);
    expect(Object.keys(sealed).filter((name) => sealed[name] instanceof Secret)).toEqual([
      "password",
      "uri",
      "privateUri",
    ]);
  });

  test("keeps its password where a read-only token does not see it", async () => {
    const hidden = { ...connection, password: "", uri: connection.uri.replace(":p%40ss@", "@") };
    const client = await start({
      "GET /databases/c": [200, { database: { ...view, connection: hidden } }],
    });
    const read = await databaseCluster.read(client, "c", { ...given, password: "p@ss" });
    expect(read?.state).toMatchObject({ password: "p@ss", uri: connection.uri });
  });

  test("is resized and then upgraded, in that order", async () => {
    const client = await start({
      "PUT /databases/c/resize": [202, {}],
      "PUT /databases/c/upgrade": [204, undefined],
      "GET /databases/c": [200, { database: view }],
    });
    const news = { ...given, nodeCount: 2, version: "16" };
    const changed = (property: string): boolean => ["nodeCount", "version"].includes(property);
    await databaseCluster.update?.(client, "c", { olds: given, news, planned: news, changed });
    expect(api.requests("PUT").map(({ url }) => url)).toEqual([
      "/v2/databases/c/resize",
      "/v2/databases/c/upgrade",
    ]);
    expect(api.bodies("PUT")).toEqual([
      { size: "db-s-1vcpu-1gb", num_nodes: 2 },
      { version: "16" },
    ]);
  });

  test("gets its users one at a time", async () => {
    let busy = 0;
    let most = 0;
    const client = await start({
      "POST /databases/c/users": ({ body }) => {
        const { name } = JSON.parse(body) as { name: string };
        busy--;
        return [201, { user: { name, password: "p" } }];
      },
    });
    const post = client.post.bind(client);
    client.post = <T>(path: string, body: unknown): Promise<T> => {
      most = Math.max(most, ++busy);
      return post<T>(path, body);
    };
    const made = await Promise.all(
      ["a", "b", "c"].map((name) =>
        databaseUser.create(client, { clusterId: "c", name }, creation),
      ),
    );
    expect(made.map(({ id }) => id)).toEqual(["c/user/a", "c/user/b", "c/user/c"]);
    expect(most).toBe(1);
  });

  test("has a replica only once its first backup is made", async () => {
    const replica = { id: "r", name: "read", region: "fra1", status: "online", connection };
    const answers: Answer[] = [[412, { message: "cluster is not ready" }]];
    const client = await start({
      "POST /databases/c/replicas": () => answers.shift() ?? [201, { replica }],
      "GET /databases/c/replicas/read": [200, { replica }],
    });
    const inputs = { clusterId: "c", name: "read", region: "fra1", size: "db-s-1vcpu-1gb" };
    const made = await databaseReplica.create(client, inputs, creation);
    expect(made).toMatchObject({ id: "c/replicas/read", state: { uuid: "r" } });
    expect(api.requests("POST")).toHaveLength(2);
  });

  test("has its trusted sources put as a whole, and none left when they are deleted", async () => {
    const rules = [
      { uuid: "1", type: "tag", value: "web", created_at: "2026-01-01T00:00:00Z" },
      { uuid: "2", type: "ip_addr", value: "10.0.0.1", created_at: "2026-01-01T00:00:00Z" },
    ];
    const client = await start({
      "PUT /databases/c/firewall": [204, undefined],
      "GET /databases/c/firewall": [200, { rules }],
    });
    const given = rules.map(({ type, value }) => ({ type, value })).reverse();
    const inputs = inputsOf(databaseFirewall, { clusterId: "c", rules: given });
    const { id, state } = await databaseFirewall.create(client, inputs, creation);
    expect(diff(databaseFirewall.inputs, state, inputs)).toEqual([]);
    await databaseFirewall.delete(client, id, state);
    expect(api.bodies("PUT")).toEqual([{ rules: given }, { rules: [] }]);
  });

  test("has settings in the API's own names", async () => {
    const client = await start({
      "PATCH /databases/c/config": [200, {}],
      "GET /databases/c/config": [
        200,
        {
          config: {
            jit: false,
            "pg_stat_statements.track": "all",
            pgbouncer: { min_pool_size: 5 },
          },
        },
      ],
    });
    const given = {
      clusterId: "c",
      jit: false,
      pgStatStatementsTrack: "all",
      pgbouncers: [{ minPoolSize: 5 }],
    };
    const { state } = await databasePostgresqlConfig.create(client, given, creation);
    expect(api.bodies("PATCH")).toEqual([
      {
        config: { jit: false, "pg_stat_statements.track": "all", pgbouncer: { min_pool_size: 5 } },
      },
    ]);
    expect(diff(databasePostgresqlConfig.inputs, state, given)).toEqual([]);
  });

  test("hands out its certificate authority as PEM", async () => {
    const certificate = Buffer.from("-----BEGIN CERTIFICATE-----\n").toString("base64");
    const client = await start({ "GET /databases/c/ca": [200, { ca: { certificate } }] });
    const getDatabaseCa = functions["digitalocean:index/getDatabaseCa:getDatabaseCa"];
    expect(await getDatabaseCa?.(client, { clusterId: "c" })).toMatchObject({
      certificate: "-----BEGIN CERTIFICATE-----\n",
    });
  });
});

test("a registry's credentials are renewed by a refresh after their end, not before", async () => {
  const credentials = { auths: { "registry.digitalocean.com": { auth: "dTpw" } } };
  const client = await start({
    "GET /registries/r": [200, { registry: { name: "r" } }],
    "GET /registries/r/docker-credentials": [200, credentials],
  });
  const inputs = { registryName: "r", write: true, expirySeconds: 600 };
  const { state } = await containerRegistryDockerCredentials.create(client, inputs, creation);
  expect(state.dockerCredentials).toBe(JSON.stringify(credentials));
  const issued = () => api.requests("GET", "/v2/registries/r/docker-credentials");
  expect(issued()[0]?.url).toMatch(/\?read_write=true&expiry_seconds=600$/);
  const known = { ...inputs, ...state };
  await containerRegistryDockerCredentials.read(client, "r", known);
  expect(issued()).toHaveLength(1);
  const ended = { ...known, credentialExpirationTime: "2020-01-01T00:00:00Z" };
  await containerRegistryDockerCredentials.read(client, "r", ended);
  expect(issued()).toHaveLength(2);
});

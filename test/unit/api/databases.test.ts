// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment */
import { X509Certificate } from "node:crypto";
import type { DatabaseSpec, NetworkSpec, World } from "../../../local/machines/machines";
import { Simulated } from "../../../local/machines/simulated";
import { TestApi } from "./harness";

/** Machines that remember what they were last asked for. */
class Recording extends Simulated {
  database: DatabaseSpec | undefined;
  network: NetworkSpec | undefined;
  world: World | undefined;
  applications = 0;
  refusal: string | undefined;
  /** What servers wait for before they change. */
  gate: Promise<void> = Promise.resolve();

  override async applyDatabase(database?: DatabaseSpec): Promise<void> {
    this.applications += 1;
    await this.gate;
    if (this.refusal !== undefined) throw new Error(this.refusal);
    this.database = database;
  }
  override applyNetwork(network?: NetworkSpec): Promise<void> {
    this.network = network;
    return Promise.resolve();
  }
  override restore(world: World): Promise<void> {
    this.world = world;
    return super.restore(world);
  }
}

const wanted = {
  name: "main",
  engine: "pg",
  version: "15",
  size: "db-s-1vcpu-1gb",
  region: "nyc3",
  num_nodes: 1,
};

let machines: Recording;
let test: TestApi;
let path: string;

beforeEach(async () => {
  machines = new Recording();
  test = await TestApi.start({ machines });
  const { body } = await test.post("/v2/databases", wanted);
  path = `/v2/databases/${body.database.id}`;
  await test.until(path, (each) => each.body.database.status === "online");
});
afterEach(() => test.stop());

const guard = () => machines.network?.guards?.[0]?.inbound[0];

it("a new cluster's server has a certificate for its names, and Droplets find it by them", () => {
  const { database, network } = machines;
  const certificate = new X509Certificate(database?.tls.certificatePem ?? "");
  const names = network?.names?.map(({ name }) => name) ?? [];
  expect(names).toHaveLength(2);
  for (const name of names) expect(certificate.checkHost(name)).toBe(name);
  expect(network?.names?.[0]?.addresses).toEqual([database?.privateIp]);
  expect(network?.services?.[0]?.privateIp).toBe(database?.privateIp);
  expect(database).toMatchObject({ port: 25060, poolPort: 25061, memoryMib: 1024 });
});

it("users and databases that are made all at once are all in the server, in few rounds", async () => {
  const before = machines.applications;
  const names = Array.from({ length: 10 }, (_, index) => `app_${index}`);
  let open = () => undefined as void;
  machines.gate = new Promise((resolve) => (open = resolve));
  const asked = Promise.all(
    names.flatMap((name) => [
      test.post(`${path}/users`, { name }),
      test.post(`${path}/dbs`, { name }),
    ]),
  );
  for (const [kind, count] of [
    ["users", 11],
    ["dbs", 11],
  ] as const)
    await test.until(
      `${path}/${kind}`,
      ({ body }) => (body as Record<string, object[]>)[kind]?.length === count,
    );
  open();
  const answers = await asked;
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  const users = machines.database?.users.map(({ name }) => name) ?? [];
  expect(users[0]).toBe("doadmin");
  expect(users.slice(1).sort()).toEqual(names);
  expect([...(machines.database?.databases ?? [])].sort()).toEqual([...names, "defaultdb"]);
  expect(machines.applications - before).toBe(2);
});

it("a user that the server could not make is not there, and can be made again", async () => {
  machines.refusal = "no space left";
  expect((await test.post(`${path}/users`, { name: "app" })).status).toBe(500);
  expect((await test.get(`${path}/users/app`)).status).toBe(404);
  machines.refusal = undefined;
  expect((await test.post(`${path}/users`, { name: "app" })).status).toBe(201);
});

it("only trusted sources reach a cluster, as tags come and go", async () => {
  expect(guard()).toEqual({ protocol: "tcp", ports: "25060-25061", cidrs: ["0.0.0.0/0"] });
  const droplet = await test.droplet({ tags: ["nodes"] });
  await test.put(`${path}/firewall`, { rules: [{ type: "tag", value: "nodes" }] });
  expect(guard()?.cidrs).toHaveLength(2);
  await test.delete("/v2/tags/nodes/resources", {
    resources: [{ resource_id: `${droplet.id}`, resource_type: "droplet" }],
  });
  expect(guard()?.cidrs).toEqual([]);
  await test.put(`${path}/firewall`, { rules: [] });
  expect(guard()?.cidrs).toEqual(["0.0.0.0/0"]);
});

it("a cluster comes back with its passwords after a restart, and its VPC cannot go before it", async () => {
  const { database, network } = machines;
  expect((await test.delete(`/v2/vpcs/${database?.vpcId}`)).status).toBe(403);
  await test.api.close();
  const again = new Recording();
  test = await TestApi.start({ machines: again, stateDir: test.stateDir });
  expect(again.world?.databases).toEqual([database]);
  expect(again.world?.network.guards).toEqual(network?.guards);
});

it("a cluster that could not be made says why to the operator, and can be deleted", async () => {
  machines.refusal = "no space left";
  const { body } = await test.post("/v2/databases", { ...wanted, name: "other" });
  const id = body.database.id as string;
  const { body: state } = await test.until("/_local/state", (each) =>
    (each.body.databases as { failure: string | null }[]).some(({ failure }) => failure !== null),
  );
  expect(state.databases).toContainEqual(
    expect.objectContaining({ id, status: "creating", failure: "no space left" }),
  );
  expect((await test.delete(`/v2/databases/${id}`)).status).toBe(204);
});

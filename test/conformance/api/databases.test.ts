// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call */
import { X509Certificate } from "node:crypto";
import type { Answer } from "../../unit/api/harness";
import { built, notBuilt } from "./built";
import { describeAnswers } from "./caller";

describeAnswers((caller) => {
  const { call, faults } = caller;

  const path = "/v2/databases";
  const wanted = {
    name: "main",
    engine: "pg",
    version: "15",
    size: "db-s-1vcpu-2gb",
    region: "fra1",
    num_nodes: 2,
    tags: ["data"],
  };

  /** The cluster once it is online. */
  const online = async (id: string): Promise<Answer["body"]> => {
    const { body } = await caller.test.until(
      `${path}/${id}`,
      (each) => each.body.database.status === "online",
    );
    return body.database;
  };
  const create = async (fields: object): Promise<Answer["body"]> => {
    const { database } = await call("POST", path, 201, { ...wanted, ...fields });
    await online(database.id as string);
    return (await call("GET", `${path}/${database.id}`, 200)).database;
  };

  it("of database clusters, from the options to the end", async () => {
    const { options } = await call("GET", `${path}/options`, 200);
    expect(options.pg.versions).toContain("15");
    for (const wrong of [
      { engine: "mysql" },
      { version: "9" },
      { size: "db-s-9vcpu-9gb" },
      { size: "db-s-1vcpu-1gb" },
      { num_nodes: 4 },
      { region: "moon1" },
      { name: "No" },
      { storage_size_mib: 1024 },
      { private_network_uuid: "nope" },
    ])
      await call("POST", path, 422, { ...wanted, ...wrong });
    const made = await create({});
    await call("POST", path, 422, wanted);
    const one = `${path}/${made.id}`;
    expect(made.connection.host).toMatch(/^main-do-user-\d+-0\.g\.db\.ondigitalocean\.com$/);
    expect(made.private_connection.host).toBe(`private-${made.connection.host}`);
    expect(made.standby_connection.host).toBe(`replica-${made.connection.host}`);
    expect(new URL(made.connection.uri as string)).toMatchObject({
      username: "doadmin",
      password: made.connection.password,
      port: "25060",
      pathname: "/defaultdb",
    });
    expect(made.metrics_endpoints).toHaveLength(2);
    const { databases: tagged } = await call("GET", `${path}?tag_name=data`, 200);
    expect(tagged).toHaveLength(1);
    const { ca } = await call("GET", `${one}/ca`, 200);
    const authority = Buffer.from(ca.certificate as string, "base64").toString();
    expect(new X509Certificate(authority).ca).toBe(true);
    const { body: tag } = await caller.test.get("/v2/tags/data");
    expect(tag.tag.resources.databases.count).toBe(1);
    const { body: members } = await caller.test.get(
      `/v2/vpcs/${made.private_network_uuid}/members`,
    );
    expect(members.members[0].urn).toBe(`do:dbaas:${made.id}`);

    await call("PUT", `${one}/resize`, 422, { size: "db-s-2vcpu-4gb", num_nodes: 9 });
    await call("PUT", `${one}/resize`, 202, { size: "db-s-2vcpu-4gb", num_nodes: 1 });
    expect(await online(made.id as string)).toMatchObject({
      num_nodes: 1,
      storage_size_mib: 61440,
    });
    await call("PUT", `${one}/resize`, 422, { size: "db-s-1vcpu-2gb", num_nodes: 1 });
    await call("PUT", `${one}/upgrade`, 422, { version: "14" });
    await call("PUT", `${one}/upgrade`, 204, { version: "16" });
    await caller.test.until(one, ({ body }) => (body.database.version as string) === "16");
    await call("PUT", `${one}/migrate`, 202, { region: "ams3" });
    expect(await online(made.id as string)).toMatchObject({ region: "ams3" });
    await call("PUT", `${one}/maintenance`, 204, { day: "Tuesday", hour: "14:00" });
    expect((await online(made.id as string)).maintenance_window).toMatchObject({
      day: "tuesday",
      hour: "14:00:00",
    });
    await call("PUT", `${one}/install_update`, 204);
    await call("PUT", `${one}/autoscale`, 204, {
      storage: { enabled: true, threshold_percent: 80, increment_gib: 10 },
    });
    const { autoscale } = await call("GET", `${one}/autoscale`, 200);
    expect(autoscale.storage.threshold_percent).toBe(80);
    await call("PUT", `${one}/do_settings`, 204, {
      do_settings: { service_cnames: ["db.example.com"] },
    });
    await call("GET", `${one}/do_settings`, 200);
    await call("PATCH", `${one}/config`, 422, { config: { jit: "maybe" } });
    await call("PATCH", `${one}/config`, 200, {
      config: { jit: true, pgbouncer: { autodb_pool_size: 5 } },
    });
    const { config } = await call("GET", `${one}/config`, 200);
    expect(config.jit).toBe(true);
    const { backups } = await call("GET", `${one}/backups`, 200);
    expect(backups).toHaveLength(1);
    await call("GET", `${one}/events`, 200);
    await call("GET", path, 200);
    await call("DELETE", one, 204);
    await call("GET", one, 404);
    expect(faults).toEqual([]);
  });

  it("of users, databases and pools", async () => {
    const { id } = await create({ name: "inside", num_nodes: 1 });
    const one = `${path}/${id}`;
    const { user } = await call("POST", `${one}/users`, 201, { name: "app" });
    expect(user).toMatchObject({ name: "app", role: "normal" });
    expect(user.password).not.toBe("");
    await call("POST", `${one}/users`, 409, { name: "app" });
    await call("PUT", `${one}/users/app`, 201, { settings: { pg_allow_replication: true } });
    const { user: reset } = await call("POST", `${one}/users/app/reset_auth`, 200, {});
    expect(reset.password).not.toBe(user.password);
    await call("GET", `${one}/users`, 200);
    await call("GET", `${one}/users/app`, 200);
    await call("GET", `${one}/users/nobody`, 404);
    await call("POST", `${one}/dbs`, 201, { name: "shop" });
    await call("POST", `${one}/dbs`, 409, { name: "shop" });
    await call("GET", `${one}/dbs`, 200);
    await call("GET", `${one}/dbs/shop`, 200);

    const pool = { name: "shop_pool", mode: "session", size: 40, db: "shop", user: "app" };
    await call("POST", `${one}/pools`, 422, { ...pool, size: 48 });
    await call("POST", `${one}/pools`, 422, { ...pool, db: "nothing" });
    const { pool: made } = await call("POST", `${one}/pools`, 201, pool);
    expect(made.private_connection).toMatchObject({
      user: "app",
      password: reset.password,
      port: 25061,
      database: "shop_pool",
    });
    await call("PUT", `${one}/pools/shop_pool`, 204, { ...pool, size: 20 });
    await call("GET", `${one}/pools`, 200);
    expect((await call("GET", `${one}/pools/shop_pool`, 200)).pool.size).toBe(20);
    await call("DELETE", `${one}/users/app`, 422);
    await call("DELETE", `${one}/pools/shop_pool`, 204);
    await call("DELETE", `${one}/users/app`, 204);
    await call("DELETE", `${one}/users/doadmin`, 422);
    await call("DELETE", `${one}/dbs/shop`, 204);
    await call("DELETE", `${one}/dbs/defaultdb`, 422);
    expect(faults).toEqual([]);
  });

  it("of trusted sources and replicas", async () => {
    const droplet = await caller.test.droplet({ name: "node", region: "fra1", tags: ["nodes"] });
    const { id } = await create({ name: "trusted", private_network_uuid: droplet.vpc_uuid });
    const one = `${path}/${id}`;
    const rules = [
      { type: "tag", value: "nodes" },
      { type: "droplet", value: String(droplet.id) },
      { type: "ip_addr", value: "192.0.2.0/24" },
    ];
    await call("PUT", `${one}/firewall`, 422, { rules: [{ type: "ip_addr", value: "me" }] });
    await call("PUT", `${one}/firewall`, 422, { rules: [{ type: "k8s", value: "x" }] });
    await call("PUT", `${one}/firewall`, 204, { rules });
    const { rules: before } = await call("GET", `${one}/firewall`, 200);
    await call("PUT", `${one}/firewall`, 204, { rules: rules.slice(0, 2) });
    const { rules: after } = await call("GET", `${one}/firewall`, 200);
    expect(after).toEqual(before.slice(0, 2));

    const replica = { name: "trusted-read", region: "fra1", size: "db-s-1vcpu-2gb" };
    await caller.test.until(`${one}/backups`, ({ body }) => (body.backups as object[]).length > 0);
    const { replica: made } = await call("POST", `${one}/replicas`, 201, replica);
    await call("POST", `${one}/replicas`, 409, replica);
    const there = () =>
      caller.test.until(
        `${one}/replicas/trusted-read`,
        ({ body }) => body.replica.status === "online",
      );
    await there();
    await call("GET", `${one}/replicas`, 200);
    await call("GET", `${one}/replicas/trusted-read`, 200);
    await call("PUT", `${path}/${made.id}/firewall`, 204, { rules: rules.slice(0, 1) });
    expect((await call("GET", `${path}/${made.id}/firewall`, 200)).rules).toHaveLength(1);
    await call("PUT", `${path}/${made.id}/resize`, 202, { size: "db-s-2vcpu-4gb", num_nodes: 1 });
    expect((await there()).body.replica.size).toBe("db-s-2vcpu-4gb");
    await call("DELETE", `${one}/replicas/trusted-read`, 204);
    await call("GET", `${one}/replicas/trusted-read`, 404);
    expect(faults).toEqual([]);
  });

  it("of online migrations", async () => {
    const { id } = await create({ name: "moving", num_nodes: 1 });
    const one = `${path}/${id}/online-migration`;
    await call("GET", one, 404);
    const source = { host: "old.example.com", port: 5432, dbname: "app", username: "u" };
    const started = await call("PUT", one, 200, { source: { ...source, password: "p" } });
    await caller.test.until(one, ({ body }) => body.status === "done");
    await call("GET", one, 200);
    await call("DELETE", `${one}/${started.id}`, 204);
    expect(faults).toEqual([]);
  });

  it("of Valkey", async () => {
    const made = await create({ name: "cache", engine: "valkey", version: "8", num_nodes: 1 });
    const one = `${path}/${made.id}`;
    expect(made.connection).toMatchObject({ user: "default", port: 25061 });
    expect(made.connection.uri).toMatch(/^rediss:\/\/default:AVNS_[^@]+@cache-do-user-/);
    await call("PUT", `${one}/eviction_policy`, 204, { eviction_policy: "allkeys_lru" });
    const { eviction_policy: policy } = await call("GET", `${one}/eviction_policy`, 200);
    expect(policy).toBe("allkeys_lru");
    await call("PATCH", `${one}/config`, 200, { config: { valkey_timeout: 60 } });
    await call("GET", `${one}/config`, 200);
    await call("GET", `${one}/dbs`, 412);
    expect(faults).toEqual([]);
  });

  it("of every operation on databases", () => {
    expect(caller.missing(built.databases, notBuilt)).toEqual([]);
  });
});

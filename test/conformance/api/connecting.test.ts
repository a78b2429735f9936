// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call */
import { built, notBuilt } from "./built";
import { describeAnswers } from "./caller";

describeAnswers((caller) => {
  const { call, faults } = caller;

  const vpc = async (name: string) =>
    (await caller.test.post("/v2/vpcs", { name, region: "fra1" })).body.vpc.id as string;

  it("of VPC peerings", async () => {
    const [one, two, three] = [await vpc("one"), await vpc("two"), await vpc("three")];
    const path = "/v2/vpc_peerings";
    await call("POST", path, 422, { name: "self", vpc_ids: [one, one] });
    await call("POST", path, 422, { name: "none", vpc_ids: [one, "nope"] });
    const { vpc_peering: made } = await call("POST", path, 202, {
      name: "both",
      vpc_ids: [one, two],
    });
    await call("POST", path, 409, { name: "again", vpc_ids: [two, one] });
    const active = (id: string) =>
      caller.test.until(
        `${path}/${id}`,
        ({ body }) => (body.vpc_peering.status as string) === "ACTIVE",
      );
    await active(made.id as string);
    await call("GET", path, 200);
    await call("GET", `${path}/${made.id}`, 200);
    await call("PATCH", `${path}/${made.id}`, 200, { name: "pair" });
    const { peering } = await call("POST", `/v2/vpcs/${two}/peerings`, 202, {
      name: "side",
      vpc_id: three,
    });
    await active(peering.id as string);
    const { peerings } = await call("GET", `/v2/vpcs/${two}/peerings`, 200);
    expect(peerings.map(({ name }: { name: string }) => name).sort()).toEqual(["pair", "side"]);
    await call("PATCH", `/v2/vpcs/${three}/peerings/${peering.id}`, 200, { name: "sides" });
    await call("PATCH", `/v2/vpcs/${one}/peerings/${peering.id}`, 404, { name: "x" });
    await call("DELETE", `/v2/vpcs/${three}`, 403);
    const { vpc_peering: going } = await call("DELETE", `${path}/${peering.id}`, 202);
    expect(going.status).toBe("DELETING");
    await caller.test.until(`${path}/${peering.id}`, ({ status }) => status === 404);
    await call("DELETE", `/v2/vpcs/${three}`, 204);
    expect(faults).toEqual([]);
  });

  it("of VPC NAT gateways", async () => {
    const id = await vpc("inside");
    const path = "/v2/vpc_nat_gateways";
    const wanted = {
      name: "out",
      type: "PUBLIC",
      region: "fra1",
      size: 1,
      vpcs: [{ vpc_uuid: id, default_gateway: true }],
    };
    await call("POST", path, 422, { ...wanted, region: "ams3" });
    await call("POST", path, 422, { ...wanted, vpcs: [] });
    const { vpc_nat_gateway: made } = await call("POST", path, 202, wanted);
    await call("POST", path, 409, wanted);
    await call("POST", path, 422, { ...wanted, name: "second" });
    const one = `${path}/${made.id}`;
    await caller.test.until(one, ({ body }) => (body.vpc_nat_gateway.state as string) === "ACTIVE");
    const { vpc_nat_gateway: active } = await call("GET", one, 200);
    expect(active.egresses.public_gateways[0].ipv4).toMatch(/^127\./);
    expect(active.vpcs[0].gateway_ip).toMatch(/^10\./);
    await call("GET", `${path}?name=out`, 200);
    const { vpc_nat_gateway: changed } = await call("PUT", one, 200, { name: "way-out", size: 2 });
    expect(changed).toMatchObject({ name: "way-out", size: 2 });
    await call("DELETE", `/v2/vpcs/${id}`, 403);
    await call("DELETE", one, 202);
    await caller.test.until(one, ({ status }) => status === 404);
    await call("DELETE", `/v2/vpcs/${id}`, 204);
    expect(faults).toEqual([]);
  });

  it("of keys for Spaces, whose secret is told once", async () => {
    const path = "/v2/spaces/keys";
    const wanted = { name: "app", grants: [{ bucket: "files", permission: "readwrite" }] };
    await call("POST", path, 422, { ...wanted, grants: [{ bucket: "files", permission: "all" }] });
    await call("POST", path, 422, { ...wanted, grants: [{ bucket: "", permission: "read" }] });
    const { key } = await call("POST", path, 201, wanted);
    expect(key.access_key).toMatch(/^DO[A-Z0-9]{18}$/);
    expect(key.secret_key).toMatch(/^[\w-]{43}$/);
    const one = `${path}/${key.access_key}`;
    const { key: read } = await call("GET", one, 200);
    expect(read.secret_key).toBeUndefined();
    const { keys } = await call("GET", `${path}?bucket=files`, 200);
    expect(keys).toHaveLength(1);
    await call("PUT", one, 200, { ...wanted, name: "other" });
    const { key: patched } = await call("PATCH", one, 200, { name: "third" });
    expect(patched).toMatchObject({ name: "third", grants: wanted.grants });
    await call("DELETE", one, 204);
    await call("GET", one, 404);
    expect(faults).toEqual([]);
  });

  it("of every operation on peerings, NAT gateways and keys", () => {
    expect(caller.missing(built.connecting, notBuilt)).toEqual([]);
  });
});

// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "../../../local/api/authority";
import { Store } from "../../../local/api/store";
import { built } from "./built";
import { describeAnswers } from "./caller";

describeAnswers((caller) => {
  const { call, faults } = caller;

  /** A Let's Encrypt certificate that is ready. */
  async function certificate(name: string, dnsNames: readonly string[]) {
    const made = await caller.test.post("/v2/certificates", {
      name,
      type: "lets_encrypt",
      dns_names: dnsNames,
    });
    expect(made.status).toBe(201);
    const path = `/v2/certificates/${made.body.certificate.id}`;
    const ready = await caller.test.until(
      path,
      ({ body }) => body.certificate.state === "verified",
    );
    return ready.body.certificate as { id: string };
  }

  it("of certificates, issued by the local authority or brought along", async () => {
    const path = "/v2/certificates";
    const { body: pem } = await caller.test.call("GET", "/ca", undefined, { authorization: "" });
    expect(new X509Certificate(pem as string).ca).toBe(true);
    const wanted = { name: "site", type: "lets_encrypt", dns_names: ["*.example.com"] };
    await call("POST", path, 422, wanted);
    await call("POST", "/v2/domains", 201, { name: "example.com" });
    const { certificate: made } = await call("POST", path, 201, wanted);
    await call("POST", path, 422, wanted);
    await caller.test.until(
      `${path}/${made.id}`,
      ({ body }) => body.certificate.state === "verified",
    );
    await call("GET", path, 200);
    const { certificate: ready } = await call("GET", `${path}/${made.id}`, 200);
    expect(ready.sha1_fingerprint).toMatch(/^[0-9a-f]{40}$/);
    const { certificates: byName } = await call("GET", `${path}?name=site`, 200);
    expect(byName.map(({ id }: { id: string }) => id)).toEqual([made.id]);

    const directory = mkdtempSync(join(tmpdir(), "archipelago-authority-"));
    const store = Store.open(directory);
    const authority = await Authority.open(store);
    const own = await authority.issue(["own.example.org", "own.example.net"], 5);
    const custom = {
      name: "own",
      private_key: own.keyPem,
      leaf_certificate: own.leafPem,
      certificate_chain: authority.pem,
    };
    const { certificate: brought } = await call("POST", path, 201, custom);
    expect(brought.dns_names).toEqual(["own.example.org", "own.example.net"]);
    const other = await authority.issue(["other.example.org"], 5);
    await call("POST", path, 422, { ...custom, name: "mixed", private_key: other.keyPem });
    await call("POST", path, 422, { ...custom, name: "broken", leaf_certificate: "nothing" });
    await call("DELETE", `${path}/${made.id}`, 204);
    await call("GET", `${path}/${made.id}`, 404);
    await store.close();
    rmSync(directory, { recursive: true });
    expect(faults).toEqual([]);
  });

  it("of Load Balancers", async () => {
    const droplet = await caller.test.droplet({
      name: "target",
      region: "fra1",
      tags: ["balanced"],
    });
    const rule = (port: number) => ({
      entry_protocol: "http",
      entry_port: port,
      target_protocol: "http",
      target_port: 80,
    });
    const wanted = {
      name: "front",
      region: "fra1",
      vpc_uuid: droplet.vpc_uuid,
      tag: "balanced",
      forwarding_rules: [rule(80)],
      health_check: { protocol: "http", port: 80, path: "/up", check_interval_seconds: 3 },
      sticky_sessions: { type: "cookies", cookie_name: "DO-LB", cookie_ttl_seconds: 60 },
      firewall: { allow: ["cidr:203.0.113.0/24"], deny: ["ip:203.0.113.7"] },
    };
    const path = "/v2/load_balancers";
    const { load_balancer: made } = await call("POST", path, 202, wanted);
    await call("POST", path, 409, wanted);
    await call("POST", path, 422, { ...wanted, name: "both", droplet_ids: [droplet.id] });
    await call("POST", path, 422, {
      ...wanted,
      name: "twice",
      forwarding_rules: [rule(80), rule(80)],
    });
    await call("GET", path, 200);
    const { load_balancer: active } = await call("GET", `${path}/${made.id}`, 200);
    expect(active).toMatchObject({ status: "active", droplet_ids: [droplet.id] });
    expect(active.ip).toMatch(/^127\./);
    const byId = [droplet.id];
    const { tag: _tag, ...untagged } = wanted;
    await call("POST", `${path}/${made.id}/droplets`, 422, { droplet_ids: byId });
    await call("PUT", `${path}/${made.id}`, 200, { ...untagged, droplet_ids: byId });
    await call("DELETE", `${path}/${made.id}/droplets`, 204, { droplet_ids: byId });
    await call("POST", `${path}/${made.id}/droplets`, 204, { droplet_ids: byId });
    await call("POST", `${path}/${made.id}/forwarding_rules`, 204, {
      forwarding_rules: [rule(81)],
    });
    await call("DELETE", `${path}/${made.id}/forwarding_rules`, 204, {
      forwarding_rules: [rule(81)],
    });
    await call("DELETE", `${path}/${made.id}/forwarding_rules`, 422, {
      forwarding_rules: [rule(80)],
    });
    // It is a member of its VPC, and a source that Firewalls know.
    await call("GET", `/v2/vpcs/${droplet.vpc_uuid}/members?resource_type=load_balancer`, 200);
    const { firewall } = await call("POST", "/v2/firewalls", 202, {
      name: "behind",
      inbound_rules: [{ protocol: "tcp", ports: "80", sources: { load_balancer_uids: [made.id] } }],
    });
    expect(firewall.inbound_rules[0].sources).toEqual({ load_balancer_uids: [made.id] });
    await call("DELETE", `${path}/${made.id}`, 204);
    await call("GET", `${path}/${made.id}`, 404);
    expect(faults).toEqual([]);
  });

  it("of Load Balancers that end TLS, whose certificate's names lead to them", async () => {
    const { id, vpc_uuid: vpc } = await caller.test.droplet({ name: "tls", region: "ams3" });
    await caller.test.post("/v2/domains", { name: "shop.example" });
    const shop = await certificate("shop", ["shop.example", "www.shop.example"]);
    const rule = (fields: object) => ({
      entry_protocol: "https",
      entry_port: 443,
      target_protocol: "http",
      target_port: 80,
      ...fields,
    });
    const ending = rule({ certificate_id: shop.id });
    const wanted = {
      name: "secure",
      region: "ams3",
      vpc_uuid: vpc,
      droplet_ids: [id],
      redirect_http_to_https: true,
      forwarding_rules: [ending],
    };
    const path = "/v2/load_balancers";
    for (const wrong of [
      rule({}),
      rule({ certificate_id: "nope" }),
      rule({ tls_passthrough: true }),
      rule({ entry_protocol: "tcp" }),
      rule({ entry_protocol: "udp", target_protocol: "udp" }),
      rule({ entry_protocol: "http", certificate_id: shop.id }),
    ])
      await call("POST", path, 422, { ...wanted, forwarding_rules: [wrong] });
    const { load_balancer: made } = await call("POST", path, 202, wanted);
    await caller.test.until(
      `${path}/${made.id}`,
      ({ body }) => (body.load_balancer.status as string) === "active",
    );
    const { load_balancer: active } = await call("GET", `${path}/${made.id}`, 200);
    const records = async () => {
      const { body } = await caller.test.get("/v2/domains/shop.example/records?type=A");
      const all = body.domain_records as { name: string; data: string }[];
      return all.map(({ name, data }) => [name, data]);
    };
    expect(await records()).toEqual([
      ["@", active.ip],
      ["www", active.ip],
    ]);
    await call("DELETE", `/v2/certificates/${shop.id}`, 403);

    // A renewal gives the certificate a new id under its name, and the Load Balancer serves that one.
    await caller.test.post(`/_local/certificates/${shop.id}/renew`);
    const { certificates } = await call("GET", "/v2/certificates?name=shop", 200);
    expect(certificates[0].id).not.toBe(shop.id);
    const { load_balancer: renewed } = await call("GET", `${path}/${made.id}`, 200);
    expect(renewed.forwarding_rules[0].certificate_id).toBe(certificates[0].id);

    const passing = rule({ target_protocol: "https", target_port: 443, tls_passthrough: true });
    await call("PUT", `${path}/${made.id}`, 200, { ...wanted, forwarding_rules: [passing] });
    expect(await records()).toEqual([]);
    await call("DELETE", `/v2/certificates/${certificates[0].id}`, 204);
    await call("DELETE", `${path}/${made.id}`, 204);
    expect(faults).toEqual([]);
  });

  it("of internal Load Balancers, which have a private address only", async () => {
    const { vpc_uuid: vpc } = await caller.test.droplet({ name: "inner", region: "lon1" });
    const { load_balancer: made } = await call("POST", "/v2/load_balancers", 202, {
      name: "inner",
      region: "lon1",
      vpc_uuid: vpc,
      network: "INTERNAL",
      droplet_ids: [],
      forwarding_rules: [
        { entry_protocol: "tcp", entry_port: 5432, target_protocol: "tcp", target_port: 5432 },
      ],
    });
    const path = `/v2/load_balancers/${made.id}`;
    const { body } = await caller.test.until(path, (each) => each.body.load_balancer.ip !== "");
    expect(body.load_balancer.ip).toMatch(/^10\./);
    await call("DELETE", path, 204);
    expect(faults).toEqual([]);
  });

  it("of global Load Balancers, which stand before regional ones", async () => {
    const path = "/v2/load_balancers";
    const sites = [];
    for (const region of ["nyc3", "fra1"]) {
      const { load_balancer: site } = await call("POST", path, 202, {
        name: `site-${region}`,
        region,
        droplet_ids: [],
        forwarding_rules: [
          { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 },
        ],
      });
      sites.push(site.id);
    }
    await caller.test.post("/v2/domains", { name: "world.example" });
    const world = await certificate("world", ["world.example"]);
    const wanted = {
      name: "world",
      type: "GLOBAL",
      domains: [{ name: "world.example", is_managed: true, certificate_id: world.id }],
      glb_settings: {
        target_protocol: "http",
        target_port: 80,
        cdn: { is_enabled: true },
        region_priorities: { nyc3: 1, fra1: 2 },
        failover_threshold: 50,
      },
      target_load_balancer_ids: sites,
    };
    await call("POST", path, 422, { ...wanted, target_load_balancer_ids: ["nope"] });
    await call("POST", path, 422, { ...wanted, glb_settings: undefined });
    const { load_balancer: made } = await call("POST", path, 202, wanted);
    await call("POST", path, 409, wanted);
    await caller.test.until(
      `${path}/${made.id}`,
      ({ body }) => body.load_balancer.status === "active",
    );
    await call("GET", path, 200);
    const { load_balancer: active } = await call("GET", `${path}/${made.id}`, 200);
    const { body } = await caller.test.get("/v2/domains/world.example/records?type=A");
    expect(body.domain_records[0].data).toBe(active.ip);
    const { load_balancer: changed } = await call("PUT", `${path}/${made.id}`, 200, {
      ...wanted,
      target_load_balancer_ids: [sites[1]],
    });
    expect(changed.target_load_balancer_ids).toEqual([sites[1]]);
    await call("DELETE", `${path}/${made.id}/cache`, 204);
    await call("DELETE", `/v2/certificates/${world.id}`, 403);
    await call("DELETE", `${path}/${sites[1]}`, 204);
    const { load_balancer: left } = await call("GET", `${path}/${made.id}`, 200);
    expect(left.target_load_balancer_ids).toEqual([]);
    await call("DELETE", `${path}/${made.id}`, 204);
    await call("GET", `${path}/${made.id}`, 404);
    await call("DELETE", `/v2/certificates/${world.id}`, 204);
    // The description wants them of all; DigitalOcean's provider, which would see a change in them, does not get them.
    expect(faults.filter((fault) => !fault.includes("'forwarding_rules'"))).toEqual([]);
  });

  it("of every operation on Load Balancers and certificates", () => {
    expect(caller.missing(built.balancing)).toEqual([]);
  });
});

// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return */
import { sshKey } from "../../unit/api/harness";
import { built, isBuilt, notBuilt } from "./built";
import { describeAnswers } from "./caller";
import { Description } from "./openapi";

describeAnswers((caller) => {
  const { call, act, faults } = caller;

  it("and a wrong one would be noticed", () => {
    const size = { slug: "s-1vcpu-1gb", memory: "1024" };
    const found = new Description().faults("GET", "/v2/sizes", 200, { sizes: [size], meta: {} });
    expect(found).toContain("GET /v2/sizes 200: /sizes/0/memory must be integer");
    expect(found).toContain("GET /v2/sizes 200: /meta must have required property 'total'");
  });

  it("of account, regions, sizes and images", async () => {
    await call("GET", "/v2/account", 200);
    await call("GET", "/v2/regions", 200);
    await call("GET", "/v2/sizes?per_page=200", 200);
    await call("GET", "/v2/images?per_page=5&page=2", 200);
    await call("GET", "/v2/images/debian-12-x64", 200);
    await call("GET", "/v2/images/nope", 404);
    await call("GET", "/v2/actions", 200);
    await call("GET", "/v2/actions/1", 404);
    await call("GET", "/v2/reports/droplet_neighbors_ids", 200);
    await call("GET", "/v2/account", 401, undefined, { authorization: "Bearer wrong" });
    expect(faults).toEqual([]);
  });

  it("of SSH keys and tags", async () => {
    const { ssh_key: key } = await call("POST", "/v2/account/keys", 201, {
      name: "me",
      public_key: sshKey,
    });
    await call("POST", "/v2/account/keys", 422, { name: "me", public_key: sshKey });
    await call("GET", "/v2/account/keys", 200);
    await call("GET", `/v2/account/keys/${key.id}`, 200);
    await call("GET", `/v2/account/keys/${key.fingerprint}`, 200);
    await call("PUT", `/v2/account/keys/${key.id}`, 200, { name: "you" });
    await call("DELETE", `/v2/account/keys/${key.id}`, 204);
    await call("DELETE", `/v2/account/keys/${key.id}`, 404);
    await call("POST", "/v2/tags", 201, { name: "web" });
    await call("GET", "/v2/tags", 200);
    const droplet = await caller.test.droplet({ name: "tagged" });
    const resources = { resources: [{ resource_id: `${droplet.id}`, resource_type: "droplet" }] };
    await call("POST", "/v2/tags/web/resources", 204, resources);
    await call("GET", "/v2/tags/web", 200);
    await call("DELETE", "/v2/tags/web/resources", 204, resources);
    await call("DELETE", "/v2/tags/web", 204);
    await call("GET", "/v2/tags/web", 404);
    await call("POST", "/v2/tags", 422, { name: "with space" });
    expect(faults).toEqual([]);
  });

  it("of Droplets, their actions and what hangs on them", async () => {
    const wanted = { region: "nyc3", size: "s-1vcpu-1gb", image: "debian-12-x64" };
    const { droplet } = await call("POST", "/v2/droplets", 202, {
      ...wanted,
      name: "one",
      tags: ["many"],
      backups: true,
      ipv6: true,
    });
    await call("POST", "/v2/droplets", 202, { ...wanted, names: ["two", "three"], tags: ["many"] });
    await call("POST", "/v2/droplets", 422, { ...wanted, name: "no good" });
    await caller.test.until("/v2/droplets?tag_name=many", ({ body }) =>
      body.droplets.every((each: { status: string }) => each.status === "active"),
    );
    const path = `/v2/droplets/${droplet.id}`;
    await call("GET", "/v2/droplets?name=one", 200);
    await call("GET", path, 200);
    await call("GET", "/v2/droplets/1", 404);
    for (const part of ["backups", "snapshots", "actions", "kernels", "firewalls", "neighbors"])
      await call("GET", `${path}/${part}`, 200);
    await call("GET", `${path}/backups/policy`, 200);
    await call("GET", "/v2/droplets/backups/policies", 200);
    await call("GET", "/v2/droplets/backups/supported_policies", 200);
    await act(`${path}/actions`, 201, { type: "snapshot", name: "shot" });
    const { snapshots } = await call("GET", `${path}/snapshots`, 200);
    await call("GET", path, 200);
    await call("GET", `/v2/snapshots/${snapshots[0].id}`, 200);
    await call("GET", "/v2/snapshots?resource_type=droplet", 200);
    await call("GET", "/v2/images?private=true", 200);
    await call("PUT", `/v2/images/${snapshots[0].id}`, 200, { name: "renamed" });
    await call("POST", `/v2/images/${snapshots[0].id}/actions`, 201, {
      type: "transfer",
      region: "fra1",
    });
    const { actions } = await call("GET", `/v2/images/${snapshots[0].id}/actions`, 200);
    await call("GET", `/v2/images/${snapshots[0].id}/actions/${actions[0].id}`, 200);
    await act(`${path}/actions`, 201, { type: "power_off" });
    await call("POST", `${path}/actions`, 422, { type: "power_off" });
    await act(`${path}/actions`, 201, { type: "rebuild", image: snapshots[0].id });
    await call("DELETE", `/v2/images/${snapshots[0].id}`, 204);
    await call("DELETE", `/v2/snapshots/${snapshots[0].id}`, 404);
    const started = await call("POST", "/v2/droplets/actions?tag_name=many", 201, {
      type: "reboot",
    });
    await call("GET", `${path}/actions/${started.actions[0].id}`, 200);
    await call("GET", `/v2/actions/${started.actions[0].id}`, 200);
    await caller.test.until("/v2/actions", ({ body }) =>
      body.actions.every((each: { status: string }) => each.status === "completed"),
    );
    await call("DELETE", path, 204);
    await call("DELETE", path, 404);
    await call("DELETE", "/v2/droplets?tag_name=many", 204);
    expect(faults).toEqual([]);
  });

  it("of Droplets destroyed with what hangs on them", async () => {
    for (const way of ["selective", "dangerous"]) {
      const { volume } = await call("POST", "/v2/volumes", 201, {
        name: `with-${way}`,
        region: "nyc3",
        size_gigabytes: 1,
      });
      const droplet = await caller.test.droplet({ name: way, volumes: [volume.id] });
      const path = `/v2/droplets/${droplet.id}/destroy_with_associated_resources`;
      await call("GET", path, 200);
      await call(
        "DELETE",
        `${path}/${way}`,
        202,
        way === "selective" ? { volumes: [volume.id] } : undefined,
        { "x-dangerous": "true", authorization: "Bearer test-token" },
      );
      await call("GET", `${path}/status`, 200);
      await call("POST", `${path}/retry`, 202);
      await call("GET", `/v2/volumes/${volume.id}`, 404);
    }
    expect(faults).toEqual([]);
  });

  it("of VPCs and Firewalls", async () => {
    const { vpc } = await call("POST", "/v2/vpcs", 201, {
      name: "private",
      region: "nyc3",
      ip_range: "10.50.0.0/20",
    });
    const path = `/v2/vpcs/${vpc.id}`;
    await call("POST", "/v2/vpcs", 422, { name: "x", region: "nyc3", ip_range: "10.50.1.0/24" });
    await call("GET", "/v2/vpcs", 200);
    await call("GET", path, 200);
    await call("PUT", path, 200, { name: "private-2", description: "d" });
    await call("PATCH", path, 200, { description: "" });
    const droplet = await caller.test.droplet({ vpc_uuid: vpc.id, tags: ["walled"] });
    await call("GET", `${path}/members`, 200);
    await call("DELETE", path, 403);

    const rules = {
      inbound_rules: [{ protocol: "tcp", ports: "22", sources: { addresses: ["0.0.0.0/0"] } }],
      outbound_rules: [
        { protocol: "udp", ports: "all", destinations: { tags: ["walled"] } },
        { protocol: "icmp", destinations: { droplet_ids: [droplet.id] } },
      ],
    };
    const body = { name: "wall", ...rules, tags: ["walled"], droplet_ids: [droplet.id] };
    const { firewall } = await call("POST", "/v2/firewalls", 202, body);
    await call("POST", "/v2/firewalls", 409, body);
    await call("POST", "/v2/firewalls", 400, { name: "empty" });
    const wall = `/v2/firewalls/${firewall.id}`;
    await call("GET", "/v2/firewalls", 200);
    await call("GET", wall, 200);
    await call("PUT", wall, 200, body);
    for (const method of ["DELETE", "POST"] as const) {
      await call(method, `${wall}/droplets`, 204, { droplet_ids: [droplet.id] });
      await call(method, `${wall}/tags`, 204, { tags: ["walled"] });
      await call(method, `${wall}/rules`, 204, rules);
    }
    await call("GET", `/v2/droplets/${droplet.id}/firewalls`, 200);
    await call("DELETE", wall, 204);
    await call("GET", wall, 404);
    await call("DELETE", `/v2/droplets/${droplet.id}`, 204);
    await call("DELETE", path, 204);
    await call("GET", path, 404);
    expect(faults).toEqual([]);
  });

  it.each(["reserved_ip", "floating_ip"])("of addresses as %s", async (noun) => {
    const droplet = await caller.test.droplet({ name: noun.replace("_", "-") });
    const created = await call("POST", `/v2/${noun}s`, 202, { region: "nyc3" });
    const path = `/v2/${noun}s/${created[noun].ip}`;
    await call("GET", `/v2/${noun}s`, 200);
    await act(`${path}/actions`, 201, { type: "assign", droplet_id: droplet.id });
    await call("GET", path, 200);
    await act(`${path}/actions`, 201, { type: "unassign" });
    await call("POST", `${path}/actions`, 422, { type: "unassign" });
    const { actions } = await call("GET", `${path}/actions`, 200);
    await call("GET", `${path}/actions/${actions[0].id}`, 200);
    await call("DELETE", path, 204);
    await call("GET", path, 404);
    const direct = await call("POST", `/v2/${noun}s`, 202, { droplet_id: droplet.id });
    await caller.test.until(`/v2/${noun}s/${direct[noun].ip}`, ({ body }) => !body[noun].locked);
    await call("DELETE", `/v2/${noun}s/${direct[noun].ip}`, 204);
    expect(faults).toEqual([]);
  });

  it("of Volumes and their snapshots", async () => {
    const droplet = await caller.test.droplet({ name: "with-volume" });
    const body = { name: "data", region: "nyc3", size_gigabytes: 10, filesystem_type: "xfs" };
    const { volume } = await call("POST", "/v2/volumes", 201, body);
    const path = `/v2/volumes/${volume.id}`;
    await call("POST", "/v2/volumes", 409, body);
    await call("GET", "/v2/volumes?name=data&region=nyc3", 200);
    await call("GET", path, 200);
    await act(`${path}/actions`, 202, { type: "attach", droplet_id: droplet.id });
    await call("DELETE", path, 409);
    await act(`${path}/actions`, 202, { type: "resize", size_gigabytes: 20 });
    const { actions } = await call("GET", `${path}/actions`, 200);
    await call("GET", `${path}/actions/${actions[0].id}`, 200);
    await act("/v2/volumes/actions", 202, {
      type: "detach",
      volume_name: "data",
      region: "nyc3",
      droplet_id: droplet.id,
    });
    const { snapshot } = await call("POST", `${path}/snapshots`, 201, { name: "copy" });
    await call("GET", `${path}/snapshots`, 200);
    await call("GET", `/v2/volumes/snapshots/${snapshot.id}`, 200);
    await call("GET", "/v2/snapshots", 200);
    const second = await call("POST", "/v2/volumes", 201, {
      name: "restored",
      snapshot_id: snapshot.id,
      region: "nyc3",
      size_gigabytes: 20,
    });
    await call("DELETE", `/v2/volumes/${second.volume.id}`, 204);
    await call("DELETE", `/v2/volumes/snapshots/${snapshot.id}`, 204);
    await call("GET", `/v2/snapshots/${snapshot.id}`, 404);
    const third = await call("POST", `${path}/snapshots`, 201, { name: "again" });
    await call("DELETE", `/v2/snapshots/${third.snapshot.id}`, 204);
    await call("DELETE", "/v2/volumes?name=data&region=nyc3", 204);
    await call("GET", path, 404);
    expect(faults).toEqual([]);
  });

  it("of domains and records", async () => {
    await call("POST", "/v2/domains", 201, { name: "example.com", ip_address: "127.99.0.9" });
    await call("POST", "/v2/domains", 422, { name: "example.com" });
    await call("GET", "/v2/domains", 200);
    await call("GET", "/v2/domains/example.com", 200);
    const records = "/v2/domains/example.com/records";
    for (const record of [
      { type: "A", name: "a", data: "192.0.2.1" },
      { type: "AAAA", name: "a", data: "2001:db8::1" },
      { type: "CNAME", name: "www", data: "@" },
      { type: "MX", name: "@", data: "mail.example.com.", priority: 10 },
      { type: "TXT", name: "@", data: "v=spf1 -all" },
      { type: "NS", name: "sub", data: "ns1.example.org." },
      {
        type: "SRV",
        name: "_sip._tcp",
        data: "sip.example.com.",
        priority: 1,
        port: 5060,
        weight: 5,
      },
      { type: "CAA", name: "@", data: "letsencrypt.org.", flags: 0, tag: "issue" },
    ])
      await call("POST", records, 201, record);
    await call("POST", records, 422, { type: "A", name: "b", data: "nope" });
    const { domain_records: all } = await call("GET", `${records}?per_page=200`, 200);
    await call("GET", `${records}/${all[0].id}`, 200);
    const www = all.find((each: { type: string }) => each.type === "CNAME");
    await call("PUT", `${records}/${www.id}`, 200, { type: "CNAME", name: "blog" });
    await call("PATCH", `${records}/${www.id}`, 200, { type: "CNAME", ttl: 60 });
    await call("DELETE", `${records}/${www.id}`, 204);
    await call("GET", `${records}/${www.id}`, 404);
    await call("DELETE", "/v2/domains/example.com", 204);
    await call("GET", "/v2/domains/example.com", 404);
    expect(faults).toEqual([]);
  });

  it("of projects", async () => {
    const { project } = await call("POST", "/v2/projects", 201, {
      name: "shop",
      purpose: "Web Application",
      environment: "Production",
    });
    await call("GET", "/v2/projects", 200);
    for (const path of [`/v2/projects/${project.id}`, "/v2/projects/default"]) {
      await call("GET", path, 200);
      const changed = { name: `n-${path.length}`, description: "d", purpose: "p" };
      await call("PUT", path, 200, { ...changed, environment: "Staging", is_default: false });
      await call("PATCH", path, 200, { description: "e" });
    }
    const droplet = await caller.test.droplet({ name: "in-project" });
    const resources = { resources: [`do:droplet:${droplet.id}`] };
    await call("POST", `/v2/projects/${project.id}/resources`, 200, resources);
    await call("GET", `/v2/projects/${project.id}/resources`, 200);
    await call("DELETE", `/v2/projects/${project.id}`, 412);
    await call("POST", "/v2/projects/default/resources", 200, resources);
    await call("GET", "/v2/projects/default/resources", 200);
    await call("DELETE", `/v2/projects/${project.id}`, 204);
    await call("GET", `/v2/projects/${project.id}`, 404);
    expect(faults).toEqual([]);
  });

  it("of every operation below the paths that are built", () => {
    expect(caller.missing(built.machines, notBuilt)).toEqual(["post /v2/images"]);
  });

  it("of paths that are not built: 404 as for an unknown resource", async () => {
    const { description } = caller;
    const others = description.paths.filter((each) => !isBuilt(each) && /^\/v2\//.test(each));
    for (const path of others) {
      const url = path.replace(/\{[^}]+\}/g, "1");
      const method = description.methods(path).includes("get") ? "GET" : "POST";
      const answer = await caller.test.call(method, url);
      expect([path, answer.status, answer.body.id]).toEqual([path, 404, "not_found"]);
    }
  });
});

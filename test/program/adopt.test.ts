import * as fs from "node:fs";
import * as path from "node:path";
import { LocalCloud, succeeded } from "./support/cloud";

describe("an account where an app was set up by hand (simulated machines)", () => {
  const cloud = new LocalCloud();
  const out = path.join(cloud.dir, "stack-files");
  afterAll(() => cloud.remove());

  test("its VPC, database and name become a stack's, and none of them is replaced", async () => {
    succeeded(await cloud.local("api", "--progress", "immediate"));
    const { vpc } = await cloud.api<{ vpc: { id: string } }>("POST", "/v2/vpcs", {
      name: "blog",
      region: "fra1",
      ip_range: "10.120.0.0/20",
    });
    const { droplet } = await cloud.api<{ droplet: { id: number } }>("POST", "/v2/droplets", {
      name: "blog-1",
      region: "fra1",
      size: "s-2vcpu-4gb",
      image: "debian-12-x64",
      vpc_uuid: vpc.id,
    });
    const { database } = await cloud.api<{ database: { id: string } }>("POST", "/v2/databases", {
      name: "blog-db",
      engine: "pg",
      version: "15",
      size: "db-s-1vcpu-2gb",
      region: "fra1",
      num_nodes: 1,
      private_network_uuid: vpc.id,
    });
    const { droplet: seen } = await cloud.api<{
      droplet: { networks: { v4: { ip_address: string; type: string }[] } };
    }>("GET", `/v2/droplets/${droplet.id}`);
    const address = seen.networks.v4.find(({ type }) => type === "public")?.ip_address;
    await cloud.api("POST", "/v2/domains", { name: "blog.example.com", ip_address: address });

    const adopted = succeeded(await cloud.npm("adopt", "cloud", "blog", "--local", "--out", out));
    expect(adopted.output).toMatch(/Not taken over\S*\n +Droplet blog-1/);
    expect(adopted.output).toContain("A record blog.example.com");
    expect(fs.readFileSync(path.join(out, "Pulumi.blog.yaml"), "utf8")).toContain("10.120.0.0/20");

    const file = path.join(out, "import.blog.json");
    const flags = ["--generate-code=false", "--protect=false", "--yes"];
    succeeded(await cloud.local("import", "--file", file, ...flags, "blog"));
    const preview = succeeded(await cloud.local("preview", "blog"));
    expect(preview.output).not.toMatch(/(replace|delete)\b/);
    succeeded(await cloud.local("up", "blog", "--yes", "--skip-preview"));
    const { databases } = await cloud.api<{ databases: { id: string }[] }>("GET", "/v2/databases");
    expect(databases.map(({ id }) => id)).toEqual([database.id]);
    const { domain_records: records } = await cloud.api<{
      domain_records: { type: string; data: string }[];
    }>("GET", "/v2/domains/blog.example.com/records");
    const { reserved_ips: ips } = await cloud.api<{ reserved_ips: { ip: string }[] }>(
      "GET",
      "/v2/reserved_ips",
    );
    expect(records.filter(({ type }) => type === "A").map(({ data }) => data)).toEqual(
      ips.map(({ ip }) => ip),
    );
  }, 300_000);
});

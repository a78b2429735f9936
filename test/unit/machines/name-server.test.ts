import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { nameTable } from "../../../local/machines/docker/name-server";
import type { NetworkSpec } from "../../../local/machines/machines";
import { eventually } from "../../machines/fixture";

const network: NetworkSpec = {
  vpcs: [],
  droplets: [{ id: 1, vpcId: "v", privateIp: "10.99.0.2" }],
  addresses: [{ address: "127.20.0.1", dropletId: 1 }],
  services: [{ address: "127.20.0.5", vpcId: "v", privateIp: "10.99.0.9" }],
  firewalls: [],
  names: [
    { name: "Shop.Example.com.", addresses: ["127.20.0.1", "127.20.0.5", "203.0.113.7"] },
    { name: "*.example.com", addresses: ["127.20.0.5"] },
  ],
  metadataPort: 1,
};

describe("what Droplets are told about names", () => {
  it("is the private address behind a public one, which inside a Droplet is the Droplet itself", () => {
    const table = nameTable(network, { forward: false, own: { "r.example.net": ["169.254.1.1"] } });
    expect(JSON.parse(table)).toEqual({
      forward: false,
      names: {
        "shop.example.com": ["10.99.0.2", "10.99.0.9", "203.0.113.7"],
        "*.example.com": ["10.99.0.9"],
        "r.example.net": ["169.254.1.1"],
      },
    });
  });
});

describe("the name server", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "archipelago-names-"));
  const file = path.join(dir, "names.json");
  const resolver = new Resolver();
  let server: ChildProcess;

  function publish(names: Record<string, readonly string[]>): void {
    writeFileSync(`${file}.next`, JSON.stringify({ forward: false, names }));
    renameSync(`${file}.next`, file);
  }

  beforeAll(async () => {
    const port = await freeUdpPort();
    const program = path.resolve("local/machines/docker/images/support/name-server.cjs");
    server = spawn(process.execPath, [program, String(port), file], { stdio: "inherit" });
    resolver.setServers([`127.0.0.1:${port}`]);
    publish({ ready: ["10.0.0.1"] });
    await eventually("the name server to answer", () => resolver.resolve4("ready"));
  });
  afterAll(() => {
    server.kill();
    rmSync(dir, { recursive: true });
  });

  it("answers names in any case, with wildcards, and follows changes at once", async () => {
    publish({ "a.example.com": ["10.0.0.1", "10.0.0.2"], "*.example.com": ["10.0.0.3"] });
    expect(await resolver.resolve4("A.example.COM")).toEqual(["10.0.0.1", "10.0.0.2"]);
    expect(await resolver.resolve4("any.b.example.com")).toEqual(["10.0.0.3"]);
    publish({ "a.example.com": ["10.0.0.4"] });
    expect(await resolver.resolve4("a.example.com")).toEqual(["10.0.0.4"]);
  });

  it("says that a name has no IPv6 address, and that others do not exist", async () => {
    publish({ "a.example.com": ["10.0.0.4"] });
    await expect(resolver.resolve6("a.example.com")).rejects.toMatchObject({ code: "ENODATA" });
    await expect(resolver.resolve4("b.example.com")).rejects.toMatchObject({ code: "ENOTFOUND" });
  });
});

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

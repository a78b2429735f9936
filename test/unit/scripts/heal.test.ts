import * as fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { heal } from "../../../scripts/heal";

const urn = (type: string, name: string) => `urn:pulumi:app::archipelago::${type}::${name}`;
const DROPLET = "digitalocean:index/droplet:Droplet";
const VPC = "digitalocean:index/vpc:Vpc";

describe("after an interrupted up", () => {
  let server: Server;
  let api: { url: string; token: string };
  let ran: (readonly string[])[];
  let imported: unknown;

  beforeEach(async () => {
    ran = [];
    const answers: Record<string, unknown> = {
      "/v2/droplets": {
        droplets: [
          { id: 1, name: "app-node-1" },
          { id: 2, name: "app-node-1" },
        ],
      },
      "/v2/vpcs": { vpcs: [{ id: "other", name: "other" }] },
    };
    server = createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answers[(request.url ?? "").split("?")[0] ?? ""]));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    api = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "t" };
  });
  afterEach(() => server.close());

  const pulumi =
    (pending: object[], resources: object[] = []) =>
    (words: readonly string[]) => {
      ran.push(words);
      const file = words[words.indexOf("--file") + 1];
      if (words.includes("--file")) imported = JSON.parse(fs.readFileSync(file ?? "", "utf8"));
      const stdout = JSON.stringify({ deployment: { resources, pending_operations: pending } });
      return Promise.resolve({ code: 0, stdout: words[1] === "export" ? stdout : "", stderr: "" });
    };
  const creating = (type: string, name: string) => ({
    type: "creating",
    resource: { urn: urn(type, name), type, inputs: { name: "app-node-1" } },
  });

  test("what was made is adopted, and never one that the stack already has", async () => {
    const known = { urn: urn(DROPLET, "old"), type: DROPLET, id: "1" };
    const lines = await heal(pulumi([creating(DROPLET, "node-1")], [known]), api);
    expect(lines).toEqual([
      "node-1: its creation was interrupted; Droplet 2 exists and is adopted",
    ]);
    expect(imported).toMatchObject({
      deployment: {
        resources: [known, { urn: urn(DROPLET, "node-1"), id: "2" }],
        pending_operations: [],
      },
    });
    expect(ran.at(-1)).toEqual(
      expect.arrayContaining(["refresh", "--target", urn(DROPLET, "node-1")]),
    );
  });

  test("what was not made is forgotten, so that it is made now", async () => {
    const lines = await heal(pulumi([creating(VPC, "network")]), api);
    expect(lines).toEqual(["network: its creation was interrupted; nothing was made"]);
    expect(imported).toMatchObject({ deployment: { resources: [], pending_operations: [] } });
    expect(ran.flat()).not.toContain("refresh");
  });

  test("a stack that nobody interrupted costs one look at its state", async () => {
    expect(await heal(pulumi([]), api)).toEqual([]);
    expect(ran).toEqual([["stack", "export"]]);
  });
});

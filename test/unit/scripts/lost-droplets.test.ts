import * as fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { forgetLost } from "../../../scripts/lost-droplets";

const urn = (type: string, name: string) => `urn:pulumi:app::archipelago::${type}::${name}`;
const DROPLET = "digitalocean:index/droplet:Droplet";
const SERVICE = "docker:index/service:Service";
const ROLLOUT = "swarm:index:Rollout";

const dropletNamed = (name: string, id: string) => ({ urn: urn(DROPLET, name), type: DROPLET, id });
const serviceOn = (name: string, droplet: string) => ({
  urn: urn(SERVICE, name),
  type: SERVICE,
  id: name,
  deletedWith: urn(DROPLET, droplet),
  dependencies: [urn(DROPLET, droplet)],
});

describe("what went with a Droplet that was removed by hand", () => {
  let server: Server;
  let api: { url: string; token: string };
  let answer: number;
  let imported: unknown;

  beforeEach(async () => {
    imported = undefined;
    answer = 404;
    server = createServer((request, response) => {
      response.statusCode = request.url === "/v2/droplets/1" ? 200 : answer;
      response.end("{}");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    api = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "t" };
  });
  afterEach(() => server.close());

  const pulumi = (resources: object[]) => (words: readonly string[]) => {
    const file = words[words.indexOf("--file") + 1];
    if (words.includes("--file")) imported = JSON.parse(fs.readFileSync(file ?? "", "utf8"));
    const stdout = JSON.stringify({ deployment: { resources } });
    return Promise.resolve({ code: 0, stdout: words[1] === "export" ? stdout : "", stderr: "" });
  };

  test("is forgotten, and what depended on it forgets it too, so that a refresh can end well", async () => {
    const [here, gone] = [dropletNamed("node-1", "1"), dropletNamed("node-2", "2")];
    const kept = serviceOn("web", "node-1");
    const rollout = {
      urn: urn(ROLLOUT, "app"),
      type: ROLLOUT,
      dependencies: [kept.urn, urn(SERVICE, "edge")],
      propertyDependencies: { services: [urn(SERVICE, "edge")], url: null },
    };
    const resources = [here, gone, kept, serviceOn("edge", "node-2"), rollout];
    expect(await forgetLost(pulumi(resources), api)).toEqual([
      "node-2: Droplet 2 does not exist any more; forgot what went with it (1 in state)",
    ]);
    expect(imported).toEqual({
      deployment: {
        resources: [
          here,
          gone,
          kept,
          {
            ...rollout,
            dependencies: [kept.urn],
            propertyDependencies: { services: [], url: [] },
          },
        ],
      },
    });
  });

  test("is kept while the API does not say for sure that the Droplet is gone", async () => {
    const resources = [dropletNamed("node-2", "2"), serviceOn("web", "node-2")];
    answer = 500;
    await expect(forgetLost(pulumi(resources), api)).rejects.toThrow(/500/);
    expect(imported).toBeUndefined();
  });

  test("is nothing while every Droplet exists", async () => {
    const resources = [dropletNamed("node-1", "1"), serviceOn("web", "node-1")];
    expect(await forgetLost(pulumi(resources), api)).toEqual([]);
    expect(imported).toBeUndefined();
  });
});

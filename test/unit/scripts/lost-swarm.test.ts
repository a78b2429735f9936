import * as fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { forgetLost } from "../../../scripts/lost-swarm";

const urn = (type: string, name: string) => `urn:pulumi:app::archipelago::${type}::${name}`;
const CLUSTER = "swarm:index:Cluster";
const DROPLET = "digitalocean:index/droplet:Droplet";
const SERVICE = "docker:index/service:Service";
const ROLLOUT = "swarm:index:Rollout";

const clusterWith = (name: string, tag: string) => ({
  urn: urn(CLUSTER, name),
  type: CLUSTER,
  id: name,
  inputs: { tag },
});
const serviceOn = (name: string, cluster: string) => ({
  urn: urn(SERVICE, name),
  type: SERVICE,
  id: name,
  deletedWith: urn(CLUSTER, cluster),
  dependencies: [urn(CLUSTER, cluster)],
});

describe("what went with a swarm whose Droplets were removed by hand", () => {
  let server: Server;
  let api: { url: string; token: string };
  let answer: number;
  let imported: unknown;

  beforeEach(async () => {
    imported = undefined;
    answer = 200;
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://api");
      response.statusCode = pathname === "/v2/droplets/7" ? 404 : answer;
      response.end(
        JSON.stringify({ droplets: searchParams.get("tag_name") === "living" ? [{ id: 1 }] : [] }),
      );
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
    const [here, gone] = [clusterWith("one", "living"), clusterWith("two", "dead")];
    const kept = serviceOn("web", "one");
    const rollout = {
      urn: urn(ROLLOUT, "app"),
      type: ROLLOUT,
      dependencies: [kept.urn, urn(SERVICE, "edge")],
      propertyDependencies: { services: [urn(SERVICE, "edge")], url: null },
    };
    const resources = [here, gone, kept, serviceOn("edge", "two"), rollout];
    expect(await forgetLost(pulumi(resources), api)).toEqual([
      "two: no Droplet tagged dead exists any more; forgot what went with it (1 in state)",
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

  test("is forgotten of a single Droplet, too, and the others keep theirs", async () => {
    const dropletOf = (name: string, id: string) => ({
      urn: urn(DROPLET, name),
      type: DROPLET,
      id,
    });
    const imageOn = (node: string) => ({
      ...serviceOn(`web-${node}`, "one"),
      deletedWith: urn(DROPLET, node),
      dependencies: [],
    });
    const droplets = [dropletOf("worker-1", "7"), dropletOf("worker-2", "8")];
    expect(
      await forgetLost(pulumi([...droplets, imageOn("worker-1"), imageOn("worker-2")]), api),
    ).toEqual([
      "worker-1: Droplet 7 does not exist any more; forgot what went with it (1 in state)",
    ]);
    expect(imported).toEqual({ deployment: { resources: [...droplets, imageOn("worker-2")] } });
  });

  test("is kept while the API does not say for sure that the Droplets are gone", async () => {
    const resources = [clusterWith("two", "dead"), serviceOn("web", "two")];
    answer = 500;
    await expect(forgetLost(pulumi(resources), api)).rejects.toThrow(/500/);
    expect(imported).toBeUndefined();
  });

  test("is nothing while a Droplet exists", async () => {
    const resources = [clusterWith("one", "living"), serviceOn("web", "one")];
    expect(await forgetLost(pulumi(resources), api)).toEqual([]);
    expect(imported).toBeUndefined();
  });
});

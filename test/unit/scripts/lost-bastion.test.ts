import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { forgetLostBastion } from "../../../scripts/lost-bastion";

const urn = (type: string, name: string) => `urn:pulumi:app::archipelago::${type}::${name}`;
const BASTION = "archipelago:bastion:Bastion";
const DROPLET = "digitalocean:index/droplet:Droplet";

const component = (name: string) => ({ urn: urn(BASTION, name), type: BASTION });
const dropletOf = (name: string, id: string) => ({
  urn: urn(`${BASTION}$${DROPLET}`, name),
  type: DROPLET,
  parent: urn(BASTION, name),
  id,
});
const node = { urn: urn("swarm:index:Node", "manager-1"), type: "swarm:index:Node", id: "n" };
const project = {
  urn: urn("digitalocean:index/project:Project", "project"),
  type: "digitalocean:index/project:Project",
  id: "p",
};

describe("a bastion whose Droplet somebody removed", () => {
  let server: Server;
  let api: { url: string; token: string };

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.statusCode = request.url === "/v2/droplets/7" ? 404 : 200;
      response.end("{}");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    api = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "t" };
  });
  afterAll(() => server.close());

  async function forget(resources: object[]) {
    const refreshed: (readonly string[])[] = [];
    const lines = await forgetLostBastion((words) => {
      if (words[0] === "refresh") refreshed.push(words);
      return Promise.resolve({
        code: 0,
        stdout: JSON.stringify({ deployment: { resources } }),
        stderr: "",
      });
    }, api);
    return { lines, refreshed };
  }

  test("is forgotten alone, and nothing behind it is asked; another site's stays", async () => {
    const [lost, living] = [dropletOf("bastion", "7"), dropletOf("second-bastion", "8")];
    const all = [component("bastion"), lost, component("second-bastion"), living, node, project];
    const { lines, refreshed } = await forget(all);
    expect(lines).toEqual([
      "bastion: Droplet 7 does not exist any more; up makes another one, without a refresh",
    ]);
    const targets = ["--target", lost.urn, "--target", project.urn];
    expect(refreshed).toEqual([["refresh", "--yes", "--skip-preview", ...targets]]);
  });

  test("is known to be away when it was forgotten before and no up came since", async () => {
    const { lines, refreshed } = await forget([component("bastion"), node, project]);
    expect(lines).toEqual(["bastion: it has no Droplet; up makes another one, without a refresh"]);
    expect(refreshed).toEqual([]);
  });

  test("is none where it was never made, so that a first up that broke off can be destroyed", async () => {
    expect((await forget([component("bastion"), project])).lines).toEqual([]);
  });

  test("is none where every bastion has its Droplet", async () => {
    expect((await forget([component("bastion"), dropletOf("bastion", "8"), node])).lines).toEqual(
      [],
    );
  });
});

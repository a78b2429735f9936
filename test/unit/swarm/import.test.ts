import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { Cluster } from "../../../providers/swarm/resources/cluster";
import { Node } from "../../../providers/swarm/resources/node";
import { fingerprint, parsePublicKey } from "../../../providers/swarm/ssh/host-keys";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { forgetSwarms } from "../../../providers/swarm/swarm/process";
import { recordingContext } from "./support/context";
import { FakeDroplet } from "./support/fake-droplet";

const environment = { ...process.env };
const context = recordingContext("node-1");
let droplet: FakeDroplet;
/** By tag, what DigitalOcean's API knows: Droplet 1 is the swarm's. */
let tagged: Record<string, number[]>;

const api = http.createServer((request, response) => {
  const url = new URL(request.url ?? "", "http://api");
  const named = (id: number) => ({ id, name: `node-${id}`, networks: { v4: [] } });
  const tag = url.searchParams.get("tag_name");
  const body = url.pathname.endsWith("/1")
    ? { droplet: { tags: Object.keys(tagged), size_slug: "s-2vcpu-4gb" } }
    : { droplets: (tagged[tag ?? ""] ?? []).map(named) };
  response.end(JSON.stringify(body));
});

beforeAll(() => new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve)));
afterAll(() => void api.close());

beforeEach(async () => {
  droplet = await FakeDroplet.start();
  tagged = { everything: [1, 2, 3], "archipelago-shop": [1], "archipelago-shop-manager": [1] };
  Object.assign(process.env, {
    ARCHIPELAGO_SSH_KEY: droplet.operatorFile,
    DIGITALOCEAN_API_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    DIGITALOCEAN_TOKEN: "test",
  });
});

afterEach(async () => {
  anotherProcess();
  process.env = { ...environment };
  await droplet.stop();
});

function anotherProcess(): void {
  closeConnections();
  forgetSwarms();
}

/** A swarm of one that some state once knew. @returns what that state says. */
async function lostSwarm() {
  const clusterInputs = { ...droplet.clusterInputs, defaultAddrPool: ["10.200.0.0/16"] };
  const cluster = await Cluster.create(clusterInputs, context);
  const { value: clusterKey } = cluster.state["signingKey"] as { value: string };
  const inputs = {
    ...droplet.nodeInputs,
    cluster: cluster.id,
    clusterKey,
    dropletSize: "s-2vcpu-4gb",
    labels: { zone: "a" },
  };
  const node = await Node.create(inputs, context);
  anotherProcess();
  return { cluster, clusterInputs, node, inputs };
}

const importNode = (id: string) => Node.import?.(id, context);
const importCluster = (id: string) => Cluster.import?.(id, context);
const shown = () => fingerprint(parsePublicKey(droplet.permanent.public));
const manager = (key = shown()) => `127.0.0.1:${droplet.node.port}#${key}`;

/** Secrets as the engine hands them back. */
const plain = (properties: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      ["clusterKey", "signingKey"].includes(key) ? (value as { value: string }).value : value,
    ]),
  );

describe("a swarm whose state was lost", () => {
  test("is imported, so that the program's own inputs replace nothing", async () => {
    const { cluster, clusterInputs } = await lostSwarm();
    const imported = await importCluster(manager());
    expect(imported?.id).toBe(cluster.id);
    expect(imported?.inputs).toEqual({
      ...clusterInputs,
      managers: 1,
      first: { ...clusterInputs.first, bootHostKey: droplet.permanent.public },
    });
    const diff = Cluster.diff(imported?.inputs ?? {}, clusterInputs);
    expect(diff).toEqual({ changed: ["first", "managers"], replaces: [] });
    expect(plain(imported?.state ?? {})["signingKey"]).toContain("PRIVATE KEY");
  });

  test("has its node imported by name or ID, which the next update keeps and proves anew", async () => {
    const { node, inputs } = await lostSwarm();
    const cluster = await importCluster(manager());
    const imported = await importNode(`${manager()}/node-1`);
    expect((await importNode(`${manager()}/node1id`))?.id).toBe(imported?.id);
    expect(imported?.id).toBe(node.id);
    const { clusterKey: _ours, bootHostKey: _boot, ...known } = inputs;
    const before = plain(imported?.inputs ?? {});
    expect(before).toMatchObject(known);
    expect(plain(imported?.state ?? {})).toMatchObject({
      nodeId: "node1id",
      hostKey: droplet.permanent.public,
      managers: [{ host: "127.0.0.1", port: droplet.node.port }],
    });

    const { signingKey: clusterKey } = plain(cluster?.state ?? {});
    const after = { ...inputs, clusterKey };
    expect(Node.check(after)).toEqual([]);
    expect(Node.diff(before, after)).toEqual({
      changed: ["bootHostKey", "clusterKey"],
      replaces: [],
    });
    const proofBefore = droplet.proof;
    anotherProcess();
    const state = await Node.update(node.id, plain(imported?.state ?? {}), before, after, context);
    expect(state).toMatchObject({ nodeId: "node1id", ...after });
    expect(droplet.proof).not.toBe(proofBefore);
  });

  test("takes the tag that all its Droplets have and the fewest others", async () => {
    await lostSwarm();
    tagged = { everything: [1, 2, 3], mine: [1, 2], stale: [2] };
    expect((await importCluster(manager()))?.inputs["tag"]).toBe("mine");
    tagged = { stale: [2] };
    await expect(importCluster(manager())).rejects.toThrow(
      "no tag is on all Droplets of the swarm (1)",
    );
  });
});

describe("an import that cannot be", () => {
  test("for want of a host key tells the one that is shown, and logs in nowhere", async () => {
    await lostSwarm();
    droplet.node.scripts.length = 0;
    const address = `127.0.0.1:${droplet.node.port}`;
    await expect(importNode(`${address}/node-1`)).rejects.toThrow(
      new RegExp(
        `shows host key SHA256:.*, and nothing says that it is the right one: .* then import ${address}#SHA256:.*/node-1$`,
      ),
    );
    await expect(importNode(`${manager(`SHA256:${"A".repeat(43)}`)}/node-1`)).rejects.toThrow(
      "which is not the pinned one",
    );
    expect(droplet.node.scripts).toEqual([]);
  });

  test("for want of a node says which there are", async () => {
    const { cluster } = await lostSwarm();
    await expect(importNode(`${manager()}/node-2`)).rejects.toThrow(
      `swarm ${cluster.id} has no node node-2: it has node-1`,
    );
  });

  test.each(["", "127.0.0.1", "node-1/", "127.0.0.1#SHA256:short/node-1"])(
    "by the ID %p says how one is written",
    async (id) => {
      expect(() => importNode(id)).toThrow(/the ID to import a node by must be .*, got /);
      return Promise.resolve();
    },
  );

  test("of a machine in no swarm, a worker, or somebody else's swarm says so", async () => {
    const { cluster } = await lostSwarm();
    droplet.role = "worker";
    await expect(importCluster(manager())).rejects.toThrow(/127.0.0.1 is a worker: import by way/);
    droplet.role = "manager";
    droplet.clusterLabels = {};
    await expect(importCluster(manager())).rejects.toThrow("was not started by Archipelago");
    droplet.clusterLabels = { "archipelago.cluster": cluster.id };
    droplet.labels = {};
    await expect(importNode(`${manager()}/node-1`)).rejects.toThrow(
      "node-1 did not join by Archipelago",
    );
    droplet.nodeId = "";
    await expect(importCluster(manager())).rejects.toThrow(
      "127.0.0.1 is not a member of a swarm: it is inactive",
    );
  });

  test("for want of a login, an answer or a token says which", async () => {
    await lostSwarm();
    const stranger = await FakeDroplet.start();
    process.env["ARCHIPELAGO_SSH_KEY"] = stranger.operatorFile;
    await expect(importCluster(manager())).rejects.toThrow("refused to log in root with the key");
    await stranger.stop();
    process.env["ARCHIPELAGO_SSH_KEY"] = droplet.operatorFile;
    delete process.env["DIGITALOCEAN_TOKEN"];
    await expect(importCluster(manager())).rejects.toThrow("DIGITALOCEAN_TOKEN is not set");
    await expect(importCluster(`127.0.0.1:1#${shown()}`)).rejects.toThrow(
      "127.0.0.1 cannot be asked: ",
    );
  });
});

/** Who is taken for a member of the swarm, and when a swarm is taken for gone. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { Cluster } from "../../../providers/swarm/resources/cluster";
import { getLivingManager } from "../../../providers/swarm/resources/living-manager";
import { generateKeyPair } from "../../../providers/swarm/ssh/key-pair";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { isSurelyGone } from "../../../providers/swarm/swarm/gone";
import { provenHostKey } from "../../../providers/swarm/swarm/over-ssh";
import { forgetSwarms } from "../../../providers/swarm/swarm/process";
import { recordingContext } from "./support/context";
import { FakeDroplet } from "./support/fake-droplet";

const environment = { ...process.env };
const context = recordingContext("swarm");
let droplet: FakeDroplet;

/** DigitalOcean's list of Droplets; `undefined` is an API that fails. */
let listed: object[] | undefined;
const api = http.createServer((_request, response) => {
  response.statusCode = listed === undefined ? 500 : 200;
  response.end(JSON.stringify({ droplets: listed ?? [] }));
});

beforeAll(() => new Promise<void>((done) => void api.listen(0, "127.0.0.1", done)));
afterAll(() => void api.close());

beforeEach(async () => {
  droplet = await FakeDroplet.start();
  process.env["ARCHIPELAGO_SSH_KEY"] = droplet.operatorFile;
  process.env["DIGITALOCEAN_TOKEN"] = "test";
  process.env["DIGITALOCEAN_API_URL"] = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const networks = { v4: [{ ip_address: "127.0.0.1", type: "public" }] };
  listed = [{ id: 1, name: "node-1", networks }];
});

afterEach(async () => {
  closeConnections();
  forgetSwarms();
  await droplet.stop();
  process.env = { ...environment };
});

async function startSwarm() {
  const { id, state } = await Cluster.create(droplet.clusterInputs, context);
  const { value: clusterKey } = state["signingKey"] as { value: string };
  return { clusterId: id, clusterKey, tag: "archipelago-shop" };
}

const address = () => ({ host: "127.0.0.1", port: droplet.node.port });

describe("a machine whose host key nobody remembers", () => {
  test("is a member when it holds the swarm's signature over the key that it shows", async () => {
    const identity = await startSwarm();
    expect(await provenHostKey(address(), identity)).toBe(droplet.permanent.public);
  });

  test("is none with the proof of another one, of another swarm, or with nonsense", async () => {
    const identity = await startSwarm();
    expect(await provenHostKey(address(), { ...identity, clusterId: "shop-2" })).toBeUndefined();
    const { proof } = droplet;
    droplet.proof = "nonsense\n";
    expect(await provenHostKey(address(), identity)).toBeUndefined();
    droplet.proof = undefined;
    expect(await provenHostKey(address(), identity)).toBeUndefined();
    // Copied to a machine of the attacker's, who cannot copy the private host key.
    droplet.proof = proof;
    droplet.node.showHostKey(generateKeyPair().private);
    expect(await provenHostKey(address(), identity)).toBeUndefined();
  });
});

describe("a swarm", () => {
  const isGone = async () => {
    const identity = await startSwarm();
    return (state: () => void) => {
      state();
      closeConnections();
      return isSurelyGone(identity, droplet.clusterInputs.first, context);
    };
  };

  test("is gone when no Droplet has its tag, and when the only one has left it or was rebuilt", async () => {
    const after = await isGone();
    const droplets = listed;
    expect(await after(() => (listed = []))).toBe(true);
    expect(await after(() => ((listed = droplets), (droplet.nodeId = "")))).toBe(true);
    expect(await after(() => droplet.node.showHostKey(droplet.boot.private))).toBe(true);
  });

  test("is not started anew as long as there is doubt", async () => {
    const after = await isGone();
    expect(await after(() => undefined)).toBe(false);
    expect(await after(() => (listed = undefined))).toBe(false);
    expect(await after(() => delete process.env["DIGITALOCEAN_TOKEN"])).toBe(false);
  });

  test("with a stranger at its only address is not started anew", async () => {
    const after = await isGone();
    expect(await after(() => droplet.node.showHostKey(generateKeyPair().private))).toBe(false);
  });
});

test("services are deployed through the first manager that answers, whoever was first before", async () => {
  const identity = await startSwarm();
  const living = { ...address(), user: "root", hostKey: droplet.permanent.public };
  const dead = { ...living, port: 1 };
  expect(await getLivingManager({ ...identity, candidates: [dead, living] }, context)).toEqual({
    connection: living,
  });
});

/** Nodes without a public address: everything that is said to them goes through one machine that has one. */
import { spawn } from "node:child_process";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { sshOptions } from "../../../components/ssh-options";
import { Bastion } from "../../../providers/swarm/resources/bastion";
import { Cluster } from "../../../providers/swarm/resources/cluster";
import { getLivingManager } from "../../../providers/swarm/resources/living-manager";
import { Node } from "../../../providers/swarm/resources/node";
import { generateKeyPair } from "../../../providers/swarm/ssh/key-pair";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { isSurelyGone } from "../../../providers/swarm/swarm/gone";
import { forgetSwarms } from "../../../providers/swarm/swarm/process";
import { recordingContext } from "./support/context";
import { FakeDroplet } from "./support/fake-droplet";
import { FakeNode } from "./support/fake-node";

/** No machine of a test has it: only a bastion knows the way. */
const PRIVATE = "10.20.0.2";

const environment = { ...process.env };
const context = recordingContext("node-1");
let droplet: FakeDroplet;
let bastions: FakeNode[];

/** @returns a bastion before the Droplet, and what resources know of it. */
async function bastionBefore(keys = generateKeyPair()) {
  const bastion = await FakeNode.start({
    hostKey: keys.private,
    authorized: [droplet.operator.public],
    run: () => ({}),
    reaches: { [`${PRIVATE}:22`]: droplet.node.port },
  });
  bastions.push(bastion);
  return { bastion, way: { host: "127.0.0.1", port: bastion.port, hostKey: keys.public } };
}

type Way = Awaited<ReturnType<typeof bastionBefore>>["way"];

async function startNode(way: Way) {
  const { first, ...cluster } = droplet.clusterInputs;
  const behind = { host: PRIVATE, port: 22 };
  const { id, state } = await Cluster.create(
    { ...cluster, bastion: way, first: { ...first, ...behind } },
    context,
  );
  const { value: clusterKey } = state["signingKey"] as { value: string };
  const inputs = { ...droplet.nodeInputs, ...behind, bastion: way, cluster: id, clusterKey };
  return { inputs, ...(await Node.create(inputs, context)) };
}

beforeEach(async () => {
  droplet = await FakeDroplet.start();
  bastions = [];
  process.env["ARCHIPELAGO_SSH_KEY"] = droplet.operatorFile;
  delete process.env["DIGITALOCEAN_TOKEN"];
});

afterEach(async () => {
  closeConnections();
  forgetSwarms();
  await Promise.all([droplet.stop(), ...bastions.map((bastion) => bastion.stop())]);
  process.env = { ...environment };
});

test("a node joins, is asked and is found as manager through the bastion alone", async () => {
  const { bastion, way } = await bastionBefore();
  const { inputs, id, state } = await startNode(way);
  expect(state["connection"]).toMatchObject({
    host: PRIVATE,
    hostKey: droplet.permanent.public,
    bastion: way,
  });
  expect(await Node.read?.(id, state, inputs, context)).toMatchObject({ inputs });
  const { cluster: clusterId, clusterKey, tag } = inputs;
  const candidates = [{ host: PRIVATE, hostKey: droplet.permanent.public, bastion: way }];
  const found = await getLivingManager(
    { clusterId, clusterKey, tag, bastion: way, candidates },
    context,
  );
  expect(found).toMatchObject({ connection: candidates[0] });
  expect(new Set(bastion.passedOn)).toEqual(new Set([`${PRIVATE}:22`]));
});

test("a machine in the bastion's place that shows another key is told nothing, and not waited for", async () => {
  const { bastion, way } = await bastionBefore();
  const impostor = { ...way, hostKey: generateKeyPair().public };
  await expect(startNode(impostor)).rejects.toThrow(
    /the bastion \(127\.0\.0\.1\) does not let through: .* shows host key SHA256:/,
  );
  expect(bastion.passedOn).toEqual([]);
});

test("a node behind a bastion that is down is not taken for dead, and stays in its swarm", async () => {
  const { bastion, way } = await bastionBefore();
  const { inputs, id, state } = await startNode(way);
  closeConnections();
  forgetSwarms();
  await bastion.stop();
  bastions = [];
  await expect(Node.delete(id, state, inputs, context)).rejects.toThrow(
    /the bastion .* does not let through/,
  );
  expect(droplet.nodeId).not.toBe("");
});

test("a node that was met by a former bastion leaves by the one there is now", async () => {
  const former = await bastionBefore();
  const { inputs, id, state } = await startNode(former.way);
  const { bastion, way } = await bastionBefore();
  const after = { ...inputs, bastion: way };
  const updated = await Node.update(id, state, inputs, after, context);
  expect(updated["connection"]).toMatchObject({ bastion: way });
  await former.bastion.stop();
  bastions = [bastion];
  await Node.delete(id, state, inputs, context);
  expect(droplet.nodeId).toBe("");
});

test("a manager that nobody remembers is found by its tag and proves itself, and a swarm with it is not gone", async () => {
  const { way } = await bastionBefore();
  const { inputs } = await startNode(way);
  closeConnections();
  forgetSwarms();
  const v4 = [{ ip_address: PRIVATE, type: "private" }];
  const droplets = [{ id: 1, name: "node-1", networks: { v4 } }];
  const api = http.createServer((_, response) => void response.end(JSON.stringify({ droplets })));
  await new Promise<void>((done) => void api.listen(0, "127.0.0.1", done));
  process.env["DIGITALOCEAN_TOKEN"] = "test";
  process.env["DIGITALOCEAN_API_URL"] = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  try {
    const { cluster: clusterId, clusterKey, tag } = inputs;
    const identity = { clusterId, clusterKey, tag, bastion: way };
    const dead = { host: "10.20.0.9", hostKey: generateKeyPair().public, bastion: way };
    expect(await getLivingManager({ ...identity, candidates: [dead] }, context)).toMatchObject({
      connection: { host: PRIVATE, hostKey: droplet.permanent.public, bastion: way },
    });
    expect(await isSurelyGone(identity, undefined, context)).toBe(false);
    droplet.nodeId = "";
    expect(await isSurelyGone(identity, undefined, context)).toBe(true);
  } finally {
    api.close();
  }
});

test("a bastion exchanges its one-time key as a node does, and knows who may log in", async () => {
  const inputs = {
    name: "shop-bastion",
    dropletId: "1",
    host: "127.0.0.1",
    port: droplet.node.port,
    bootHostKey: droplet.boot.public,
    authorizedKeys: [droplet.operator.public],
  };
  expect(Bastion.check(inputs)).toEqual([]);
  const { state } = await Bastion.create(inputs, context);
  const connection = {
    host: "127.0.0.1",
    port: droplet.node.port,
    hostKey: droplet.permanent.public,
  };
  expect(state["connection"]).toEqual(connection);
  expect(droplet.node.dockerCalls).toEqual([]);
  const again = await Bastion.update("shop-bastion", state, inputs, inputs, context);
  expect(again["connection"]).toEqual(connection);
});

test("the operator's own ssh goes the same way, with both keys pinned", async () => {
  const { bastion, way } = await bastionBefore();
  droplet.introducePermanentKey();
  const ssh = (hostKey: string, jump: Way) =>
    new Promise<string>((done) => {
      const options = sshOptions(hostKey, true, jump);
      const args = ["-o", "ControlMaster=no", "-o", "ControlPath=none", ...options];
      const child = spawn("ssh", [...args, "-l", "root", PRIVATE, "echo"], {
        stdio: ["ignore", "ignore", "pipe"],
        env: process.env,
      });
      let said = "";
      child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      child.once("close", () => done(said));
    });
  // It is met, logged in to, and knows no such command.
  const said = await ssh(droplet.permanent.public, way);
  expect(said).toContain("the fake node knows no such script");
  expect(bastion.passedOn).toEqual([`${PRIVATE}:22`]);
  expect(await ssh(generateKeyPair().public, way)).toContain("Host key verification failed");
  const impostor = { ...way, hostKey: generateKeyPair().public };
  expect(await ssh(droplet.permanent.public, impostor)).toContain("Host key verification failed");
  expect(bastion.passedOn).toHaveLength(2);
});

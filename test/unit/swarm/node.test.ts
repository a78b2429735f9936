import { generateKeyPair } from "../../../providers/swarm/ssh/key-pair";
import { firstContact } from "../../../providers/swarm/node/host-key";
import { Cluster } from "../../../providers/swarm/resources/cluster";
import { Node } from "../../../providers/swarm/resources/node";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { forgetSwarms } from "../../../providers/swarm/swarm/process";
import { recordingContext } from "./support/context";
import { FakeDroplet, type FakeDropletOptions } from "./support/fake-droplet";

const keyBefore = process.env["ARCHIPELAGO_SSH_KEY"];
let droplet: FakeDroplet;

async function fresh(options?: FakeDropletOptions): Promise<FakeDroplet> {
  droplet = await FakeDroplet.start(options);
  process.env["ARCHIPELAGO_SSH_KEY"] = droplet.operatorFile;
  return droplet;
}

afterEach(async () => {
  anotherProcess();
  await droplet.stop();
  if (keyBefore === undefined) delete process.env["ARCHIPELAGO_SSH_KEY"];
  else process.env["ARCHIPELAGO_SSH_KEY"] = keyBefore;
});

const context = recordingContext("node-1");

/** From here on things are as a new run of the provider finds them. */
function anotherProcess(): void {
  closeConnections();
  forgetSwarms();
}

/** Starts the swarm on the Droplet. @returns the inputs of its first node. */
async function startSwarm() {
  const { id, state } = await Cluster.create(droplet.clusterInputs, context);
  const { value: clusterKey } = state["signingKey"] as { value: string };
  return { ...droplet.nodeInputs, cluster: id, clusterKey };
}

/** A swarm of one. */
async function startNode(more: Readonly<Record<string, unknown>> = {}) {
  const inputs = { ...(await startSwarm()), ...more };
  const { id, state } = await Node.create(inputs, context);
  return { inputs, id, state };
}

describe("creating a cluster", () => {
  test("starts the swarm on the private address of its first Droplet", async () => {
    await fresh();
    const inputs = { ...droplet.clusterInputs, defaultAddrPool: ["10.200.0.0/16"] };
    const { id, state } = await Cluster.create(inputs, context);
    expect(id).toMatch(/^shop-[0-9a-f]{8}$/);
    expect(state).toEqual({
      ...inputs,
      signingKey: expect.objectContaining({
        value: expect.stringContaining("PRIVATE KEY") as string,
      }) as unknown,
    });
    expect(droplet.initBody).toEqual({
      ListenAddr: "0.0.0.0:2377",
      AdvertiseAddr: "10.20.0.2",
      DataPathAddr: "10.20.0.2",
      DefaultAddrPool: ["10.200.0.0/16"],
      SubnetSize: 24,
      Spec: { Name: "default", Labels: { "archipelago.cluster": id } },
    });
  });

  test("a second time, after the state was lost, finds the same swarm and starts no other", async () => {
    await fresh();
    const first = await Cluster.create(droplet.clusterInputs, context);
    anotherProcess();
    expect((await Cluster.create(droplet.clusterInputs, context)).id).toBe(first.id);
    expect(droplet.node.dockerCalls.filter((call) => call === "POST /swarm/init")).toHaveLength(1);
  });

  test("refuses a machine that is in another swarm, instead of taking that over", async () => {
    await fresh();
    droplet.nodeId = "node1id";
    droplet.clusterLabels = { "archipelago.cluster": "other-1" };
    await expect(Cluster.create(droplet.clusterInputs, context)).rejects.toThrow(
      "127.0.0.1 is already in the swarm of cluster other-1, and cannot start shop: replace the Droplet",
    );
  });

  test("stops at user data that failed, and shows the log", async () => {
    await fresh({
      cloudInitErrors: ["('scripts_user', RuntimeError('runcmd'))"],
      cloudInitLog: "mkfs.xfs: no such device\n",
    });
    await expect(Cluster.create(droplet.clusterInputs, context)).rejects.toThrow(
      /^user data failed on node-1: .*runcmd.*\nmkfs.xfs: no such device\n/,
    );
    expect(droplet.node.dockerCalls).toEqual([]);
  });
});

describe("creating a node", () => {
  test("of the machine that the swarm started on pins its key and labels it", async () => {
    await fresh();
    const { inputs, id, state } = await startNode({ labels: { zone: "a" } });
    const connection = {
      host: "127.0.0.1",
      port: inputs.port,
      user: "root",
      hostKey: droplet.permanent.public,
    };
    expect(id).toBe(`${inputs.cluster}/node-1`);
    expect(state).toEqual({
      ...inputs,
      nodeId: "node1id",
      hostKey: droplet.permanent.public,
      address: "10.20.0.2",
      connection,
      managers: [connection],
    });
    expect(droplet.ownLabels).toEqual({ zone: "a" });
  });

  test("a second time, after the state was lost, finds the same node", async () => {
    await fresh();
    const { inputs, id, state } = await startNode();
    anotherProcess();
    expect(await Node.create(inputs, context)).toEqual({ id, state });
    expect(droplet.node.dockerCalls.filter((call) => call === "POST /swarm/init")).toHaveLength(1);
  });
});

describe("the first contact", () => {
  const contact = () =>
    firstContact(
      { host: "127.0.0.1", port: droplet.node.port },
      droplet.boot.public,
      context,
      25,
      0,
    );

  test("accepts a permanent key that the boot key introduced", async () => {
    await fresh();
    droplet.introducePermanentKey();
    const { connection, hostKey, isBootKey } = await contact();
    connection.close();
    expect({ hostKey, isBootKey }).toEqual({
      hostKey: droplet.permanent.public,
      isBootKey: false,
    });
  });

  test("refuses a key that another key introduced, or that nobody did", async () => {
    await fresh();
    droplet.node.showHostKey(droplet.permanent.private);
    await expect(contact()).rejects.toThrow("which is not the pinned one");
    droplet.introducePermanentKey(generateKeyPair());
    await expect(contact()).rejects.toThrow("which is not the pinned one");
    // Nothing but the question for the introduction ever reached it.
    expect(droplet.node.scripts.filter((script) => !script.includes("introduction"))).toEqual([]);
  });

  test("says which key was refused when the operator may not log in", async () => {
    await fresh();
    const stranger = await FakeDroplet.start();
    process.env["ARCHIPELAGO_SSH_KEY"] = stranger.operatorFile;
    await expect(contact()).rejects.toThrow(
      `127.0.0.1 refused to log in root with the key in ${stranger.operatorFile}: add its public key to sshKeys`,
    );
    await stranger.stop();
  });
});

describe("a node that exists", () => {
  test("shows no drift when nothing changed", async () => {
    await fresh();
    const { id, state, inputs } = await startNode();
    expect(await Node.read?.(id, state, inputs, context)).toEqual({ state, inputs });
  });

  test("shows labels that were changed by hand, and the update puts them right", async () => {
    await fresh();
    const { id, state, inputs } = await startNode({ labels: { zone: "a" } });
    droplet.labels = { ...droplet.labels, zone: "b", theirs: "1" };
    const drift = await Node.read?.(id, state, inputs, context);
    expect(drift?.inputs).toEqual({ ...inputs, labels: { zone: "b" } });
    await Node.update(id, drift?.state ?? {}, drift?.inputs ?? {}, inputs, context);
    expect(droplet.ownLabels).toEqual({ zone: "a", theirs: "1" });
  });

  test("that was drained by hand is shown as that, and the update has it take tasks again", async () => {
    await fresh();
    const { id, state, inputs } = await startNode();
    droplet.availability = "drain";
    const drift = await Node.read?.(id, state, inputs, context);
    expect(drift?.inputs).toEqual({ ...inputs, availability: "drain" });
    expect(Node.diff(drift?.inputs ?? {}, inputs)).toEqual({
      changed: ["availability"],
      replaces: [],
    });
    await Node.update(id, drift?.state ?? {}, drift?.inputs ?? {}, inputs, context);
    expect(droplet.availability).toBe("active");
  });

  test("that is down is shown as that, so that up looks after it", async () => {
    await fresh();
    const { id, state, inputs } = await startNode();
    droplet.state = "down";
    const drift = await Node.read?.(id, state, inputs, context);
    expect(drift?.inputs).toEqual({ ...inputs, status: "down" });
    expect(Node.diff(drift?.inputs ?? {}, inputs).changed).toEqual(["status"]);
  });

  test("that left its swarm is gone, so that up makes it a member again", async () => {
    await fresh();
    const { id, state, inputs } = await startNode();
    droplet.nodeId = "";
    expect(await Node.read?.(id, state, inputs, context)).toBeUndefined();
  });

  test("that was rebuilt shows its boot key again and is gone too", async () => {
    await fresh();
    const { id, state, inputs } = await startNode();
    anotherProcess();
    droplet.node.showHostKey(droplet.boot.private);
    expect(await Node.read?.(id, state, inputs, context)).toBeUndefined();
  });

  test("that shows a stranger's key keeps its last known state, and a refresh goes on", async () => {
    await fresh();
    const { id, state, inputs } = await startNode();
    anotherProcess();
    droplet.node.showHostKey(generateKeyPair().private);
    const told = recordingContext("node-1");
    expect(await Node.read?.(id, state, inputs, told)).toEqual({ state, inputs });
    expect(told.lines.join()).toContain("node-1 cannot be asked, its last known state is kept");
  });

  test("leaves with the swarm when it is the last one", async () => {
    await fresh();
    const { id, state, inputs } = await startNode();
    await Node.delete(id, state, inputs, context);
    expect(droplet.nodeId).toBe("");
  });

  test("that a stranger answers for is taken as gone: nothing is sent there", async () => {
    await fresh();
    const { id, state, inputs } = await startNode();
    anotherProcess();
    droplet.node.showHostKey(generateKeyPair().private);
    const told = recordingContext("node-1");
    await Node.delete(id, state, inputs, told);
    expect(told.lines.join()).toContain("node-1 does not answer and is taken as gone");
    expect(droplet.nodeId).toBe("node1id");
  });
});

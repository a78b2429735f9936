import { firstContact } from "../../../providers/swarm/node/host-key";
import { Node } from "../../../providers/swarm/resources/node";
import { closeConnections } from "../../../providers/swarm/ssh/pool";
import { recordingContext } from "./support/context";
import { FakeDroplet, type FakeDropletOptions } from "./support/fake-droplet";
import { keyPair } from "./support/fake-node";

const keyBefore = process.env["ARCHIPELAGO_SSH_KEY"];
let droplet: FakeDroplet;

async function fresh(options?: FakeDropletOptions): Promise<FakeDroplet> {
  droplet = await FakeDroplet.start(options);
  process.env["ARCHIPELAGO_SSH_KEY"] = droplet.operatorFile;
  return droplet;
}

afterEach(async () => {
  closeConnections();
  await droplet.stop();
  if (keyBefore === undefined) delete process.env["ARCHIPELAGO_SSH_KEY"];
  else process.env["ARCHIPELAGO_SSH_KEY"] = keyBefore;
});

const context = recordingContext("node-1");

describe("creating a node", () => {
  test("pins the key that the node made, starts the swarm on the private address and labels the node", async () => {
    await fresh();
    const inputs = { ...droplet.inputs, labels: { zone: "a" }, defaultAddrPool: ["10.200.0.0/16"] };
    const { id, state } = await Node.create(inputs, context);
    expect(id).toBe("node1id");
    expect(state).toEqual({
      ...inputs,
      nodeId: "node1id",
      hostKey: droplet.permanent.public,
      address: "10.20.0.2",
      connection: {
        host: "127.0.0.1",
        port: droplet.inputs.port,
        user: "root",
        hostKey: droplet.permanent.public,
      },
    });
    expect(droplet.initBody).toEqual({
      ListenAddr: "0.0.0.0:2377",
      AdvertiseAddr: "10.20.0.2",
      DataPathAddr: "10.20.0.2",
      DefaultAddrPool: ["10.200.0.0/16"],
      SubnetSize: 24,
      Spec: { Name: "default", Labels: { "archipelago.cluster": "shop-1" } },
    });
    expect(droplet.labels).toEqual({ zone: "a" });
  });

  test("a second time, after the state was lost, finds the same node and starts no second swarm", async () => {
    await fresh();
    const first = await Node.create(droplet.inputs, context);
    closeConnections();
    const second = await Node.create(droplet.inputs, context);
    expect(second).toEqual(first);
    expect(droplet.node.dockerCalls.filter((call) => call === "POST /swarm/init")).toHaveLength(1);
  });

  test("stops at user data that failed, and shows the log", async () => {
    await fresh({
      cloudInitErrors: ["('scripts_user', RuntimeError('runcmd'))"],
      cloudInitLog: "mkfs.xfs: no such device\n",
    });
    await expect(Node.create(droplet.inputs, context)).rejects.toThrow(
      /^user data failed on node-1: .*runcmd.*\nmkfs.xfs: no such device\n/,
    );
    expect(droplet.node.dockerCalls).toEqual([]);
  });

  test("refuses a machine that is in another swarm, instead of taking that over", async () => {
    await fresh();
    droplet.nodeId = "node1id";
    droplet.clusterLabels = { "archipelago.cluster": "other-1" };
    await expect(Node.create(droplet.inputs, context)).rejects.toThrow(
      "node-1 is already in the swarm of cluster other-1, not in shop-1",
    );
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
    droplet.introducePermanentKey(keyPair());
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
    const { id, state } = await Node.create(droplet.inputs, context);
    expect(await Node.read?.(id, state, droplet.inputs, context)).toEqual({
      state,
      inputs: droplet.inputs,
    });
  });

  test("shows labels that were changed by hand, and the update puts them right", async () => {
    await fresh();
    const inputs = { ...droplet.inputs, labels: { zone: "a" } };
    const { id, state } = await Node.create(inputs, context);
    droplet.labels = { zone: "b", theirs: "1" };
    const drift = await Node.read?.(id, state, inputs, context);
    expect(drift?.inputs).toEqual({ ...inputs, labels: { zone: "b" } });
    await Node.update(id, state, drift?.inputs ?? {}, inputs, context);
    expect(droplet.labels).toEqual({ zone: "a", theirs: "1" });
  });

  test("that left its swarm is gone, so that up makes it a member again", async () => {
    await fresh();
    const { id, state } = await Node.create(droplet.inputs, context);
    droplet.nodeId = "";
    expect(await Node.read?.(id, state, droplet.inputs, context)).toBeUndefined();
  });

  test("that was rebuilt shows its boot key again and is gone too", async () => {
    await fresh();
    const { id, state } = await Node.create(droplet.inputs, context);
    closeConnections();
    droplet.node.showHostKey(droplet.boot.private);
    expect(await Node.read?.(id, state, droplet.inputs, context)).toBeUndefined();
  });

  test("that shows a stranger's key keeps its last known state, and a refresh goes on", async () => {
    await fresh();
    const { id, state } = await Node.create(droplet.inputs, context);
    closeConnections();
    droplet.node.showHostKey(keyPair().private);
    const told = recordingContext("node-1");
    expect(await Node.read?.(id, state, droplet.inputs, told)).toEqual({
      state,
      inputs: droplet.inputs,
    });
    expect(told.lines.join()).toContain("node-1 cannot be asked, its last known state is kept");
  });

  test("leaves with the swarm when it is the last one", async () => {
    await fresh();
    const { id, state } = await Node.create(droplet.inputs, context);
    await Node.delete(id, state, droplet.inputs, context);
    expect(droplet.nodeId).toBe("");
  });

  test("that a stranger answers for is taken as gone: nothing is sent there", async () => {
    await fresh();
    const { id, state } = await Node.create(droplet.inputs, context);
    closeConnections();
    droplet.node.showHostKey(keyPair().private);
    const told = recordingContext("node-1");
    await Node.delete(id, state, droplet.inputs, told);
    expect(told.lines.join()).toContain("node-1 does not answer and is taken as gone");
    expect(droplet.nodeId).toBe("node1id");
  });
});

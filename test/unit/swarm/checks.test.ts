import { UNKNOWN } from "../../../providers/swarm/protocol/values";
import { Cluster } from "../../../providers/swarm/resources/cluster";
import { Job } from "../../../providers/swarm/resources/job";
import { Node } from "../../../providers/swarm/resources/node";
import { Password } from "../../../providers/swarm/resources/password";
import { Rollout } from "../../../providers/swarm/resources/rollout";
import { keyPair } from "./support/fake-node";

const hostKey = keyPair().public;
const node = {
  cluster: "shop-1",
  name: "node-1",
  role: "manager",
  dropletId: "1",
  host: "203.0.113.5",
  privateIp: "10.20.0.2",
  bootHostKey: hostKey,
};
const job = {
  connection: { host: "203.0.113.5", port: 22, user: "root", hostKey },
  name: "web-release",
  image: "web:1",
  command: ["node", "migrate.js"],
};

describe("a node's inputs", () => {
  test("that are right pass", () => {
    expect(Node.check(node)).toEqual([]);
    expect(Node.check({ ...node, role: "worker", peers: [job.connection] })).toEqual([]);
  });

  test("that are wrong are all told at once, with what is allowed and what was got", () => {
    const wrong = {
      ...node,
      name: "Node_1",
      role: "leader",
      privateIp: "10.20.0.256",
      port: 0,
      bootHostKey: "ssh-rsa AAAA",
      authorizedKeys: [],
      volume: { device: "/dev/sda", mountPoint: "mnt/data", sizeGib: 0.5 },
      colour: "red",
    };
    expect(
      Node.check(wrong)
        .map(({ property, reason }) => `${property} ${reason}`)
        .sort(),
    ).toEqual([
      "authorizedKeys must name at least one key, or nobody could log in",
      'bootHostKey must be one OpenSSH public key "ssh-ed25519 AAAA…", got "ssh-rsa AAAA"',
      "colour is not an input of this resource; its inputs are cluster, defaultAddrPool, name, role, dropletId, dropletSize, host, port, privateIp, bootHostKey, authorizedKeys, labels, volume, peers",
      'name must be a name of lower-case letters, digits and hyphens, at most 63, starting and ending with a letter or digit, got "Node_1"',
      "port must be a whole number from 1 to 65535, got 0",
      'privateIp must be an IPv4 address such as 10.0.0.4, got "10.20.0.256"',
      'role must be "manager" or "worker", got "leader"',
      'volume.mountPoint must be an absolute path without quotes or line ends, got "mnt/data"',
      "volume.sizeGib must be a whole number from 1 to 16384 GiB, got 0.5",
    ]);
  });

  test("that a preview does not know yet are no faults", () => {
    const unknown = { ...node, host: UNKNOWN, privateIp: UNKNOWN, bootHostKey: UNKNOWN };
    expect(Node.check(unknown)).toEqual([]);
    expect(Node.check({ ...unknown, role: "king" })).toHaveLength(1);
  });

  test("that are missing are named", () => {
    const { host: _host, ...rest } = node;
    expect(Node.check(rest)).toEqual([
      { property: "host", reason: "is required and must be an IPv4 address or a host name" },
    ]);
  });

  test("for a worker without a manager to join are refused before anything is made", () => {
    expect(Node.check({ ...node, role: "worker" })).toEqual([
      {
        property: "peers",
        reason: "is required and must name at least one manager for a worker to join",
      },
    ]);
  });

  test("never bring a pasted private key into a message", () => {
    const pasted = keyPair().private;
    const failures = Node.check({ ...node, bootHostKey: pasted, authorizedKeys: [pasted] });
    expect(failures.map(({ property }) => property)).toEqual(["bootHostKey", "authorizedKeys.0"]);
    expect(JSON.stringify(failures)).not.toContain("BEGIN");
  });

  test("cannot carry shell code into the node by a path", () => {
    const volume = { device: "/dev/x", mountPoint: "/mnt/'; reboot; '", sizeGib: 1 };
    expect(Node.check({ ...node, volume })).toHaveLength(1);
    const directories = [{ path: "../etc" }, { path: "a'b" }];
    expect(
      Node.check({ ...node, volume: { ...volume, mountPoint: "/mnt/data", directories } }),
    ).toHaveLength(2);
  });
});

describe("a change of a node", () => {
  test("of keys, labels, size, role and Volume never replaces it", () => {
    const after = {
      ...node,
      role: "worker",
      labels: { a: "b" },
      dropletSize: "s-4vcpu-8gb",
      authorizedKeys: [hostKey],
      bootHostKey: keyPair().public,
      host: "203.0.113.9",
    };
    expect(Node.diff(node, after)).toMatchObject({
      changed: ["authorizedKeys", "bootHostKey", "dropletSize", "host", "labels", "role"],
      replaces: [],
    });
  });

  test("to another Droplet joins the new one before the old one leaves", () => {
    expect(Node.diff(node, { ...node, dropletId: "2", privateIp: "10.20.0.3" })).toEqual({
      changed: ["dropletId", "privateIp"],
      replaces: ["dropletId", "privateIp"],
      deleteBeforeReplace: false,
    });
  });

  test("to another swarm on the same Droplet leaves first: it cannot be in two", () => {
    expect(Node.diff(node, { ...node, cluster: "shop-2" })).toMatchObject({
      replaces: ["cluster"],
      deleteBeforeReplace: true,
    });
  });
});

describe("a job", () => {
  test("does not run again because its node is reached in another way", () => {
    const after = {
      ...job,
      connection: { ...job.connection, host: "203.0.113.9" },
      timeoutSeconds: 60,
    };
    expect(Job.diff(job, after)).toEqual({
      changed: ["connection", "timeoutSeconds"],
      replaces: [],
    });
  });

  test("runs again for another image", () => {
    expect(Job.diff(job, { ...job, image: "web:2" }).replaces).toEqual(["image"]);
  });

  test("shows no password among its faults", () => {
    const registryAuth = { address: "", username: "me", password: 12345 };
    const failures = Job.check({ ...job, registryAuth });
    expect(failures.map(({ property }) => property)).toEqual([
      "registryAuth.address",
      "registryAuth.password",
    ]);
    expect(JSON.stringify(failures)).not.toContain("12345");
  });
});

test("a cluster with a broken CIDR is refused, since Docker would only say so at init", () => {
  expect(Cluster.check({ name: "shop", defaultAddrPool: ["10.0.0.0/33"] })).toEqual([
    {
      property: "defaultAddrPool.0",
      reason: 'must be an IPv4 CIDR such as 10.20.0.0/16, got "10.0.0.0/33"',
    },
  ]);
});

test("a password is letters and digits of the length asked for, and a short one is refused", async () => {
  expect(Password.check({ length: 8 })).toHaveLength(1);
  const { state } = await Password.create({ length: 40 }, undefined as never);
  expect((state["value"] as { value: string }).value).toMatch(/^[A-Za-z0-9]{40}$/);
});

test("a rollout of nothing, or of a URL that is none, is refused", () => {
  const rollout = { connection: job.connection, services: [], url: "shop.example" };
  expect(Rollout.check(rollout).map(({ property }) => property)).toEqual(["services", "url"]);
});

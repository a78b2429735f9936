import { generateKeyPair } from "../../../providers/swarm/ssh/key-pair";
import { UNKNOWN } from "../../../providers/swarm/protocol/values";
import { Cluster } from "../../../providers/swarm/resources/cluster";
import { Job } from "../../../providers/swarm/resources/job";
import { Node } from "../../../providers/swarm/resources/node";
import { Password } from "../../../providers/swarm/resources/password";
import { Rollout } from "../../../providers/swarm/resources/rollout";

const hostKey = generateKeyPair().public;
const node = {
  cluster: "shop-1",
  clusterKey: "a key",
  tag: "archipelago-shop",
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
    expect(Node.check({ ...node, role: "worker", availability: "drain" })).toEqual([]);
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
      "colour is not an input of this resource; its inputs are cluster, clusterKey, tag, name, role, dropletId, dropletSize, host, port, bastion, privateIp, bootHostKey, authorizedKeys, labels, availability, volume",
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

  test("never bring a pasted private key into a message", () => {
    const pasted = generateKeyPair().private;
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
      bootHostKey: generateKeyPair().public,
      host: "203.0.113.9",
    };
    expect(Node.diff(node, after)).toMatchObject({
      changed: ["authorizedKeys", "bootHostKey", "dropletSize", "host", "labels", "role"],
      replaces: [],
    });
  });

  test("to another Droplet is one change in place: the new one joins, then the old one leaves", () => {
    expect(Node.diff(node, { ...node, dropletId: "2", privateIp: "10.20.0.3" })).toEqual({
      changed: ["dropletId", "privateIp"],
      replaces: [],
    });
  });

  test("to another swarm makes another node of it", () => {
    expect(Node.diff(node, { ...node, cluster: "shop-2" })).toMatchObject({
      replaces: ["cluster"],
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

describe("a cluster", () => {
  const { dropletId, host, privateIp, bootHostKey } = node;
  const first = { dropletId, host, privateIp, bootHostKey };
  const cluster = { name: "shop", tag: node.tag, first };

  test("with a broken CIDR is refused, since Docker would only say so at init", () => {
    expect(Cluster.check({ ...cluster, defaultAddrPool: ["10.0.0.0/33"] })).toEqual([
      {
        property: "defaultAddrPool.0",
        reason: 'must be an IPv4 CIDR such as 10.20.0.0/16, got "10.0.0.0/33"',
      },
    ]);
  });

  test("of an even number of managers is refused, since two tolerate no more losses than one", () => {
    expect(Cluster.check({ ...cluster, managers: 3 })).toEqual([]);
    expect(Cluster.check({ ...cluster, managers: 2 })).toEqual([
      {
        property: "managers",
        reason:
          "must be odd (1, 3, 5 or 7), because an even number tolerates no more losses than one less, got 2",
      },
    ]);
  });

  test("whose first machine is another one by now stays as it is", () => {
    expect(Cluster.diff(cluster, { ...cluster, first: { ...first, dropletId: "2" } })).toEqual({
      changed: ["first"],
      replaces: [],
    });
  });

  test("that is given what only a start can take is refused in the preview", () => {
    expect(() => Cluster.diff(cluster, { ...cluster, name: "store" })).toThrow(
      "name of a swarm cannot be changed: Docker takes it only when a swarm starts. " +
        "Put the old value back, or make a new stack and move over to it",
    );
  });
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

import * as fs from "node:fs";
import { sshOptions } from "../../../components/ssh-options";
import { leadToLivingManager, type Answer } from "../../../scripts/dead-docker-host";

const urn = (type: string, name: string) => `urn:pulumi:app::archipelago::${type}::${name}`;
const hostKey = (host: string) => `ssh-ed25519 ${host}`;

const node = (name: string, host: string, cluster = "app-1") => ({
  urn: urn("swarm:index:Node", name),
  type: "swarm:index:Node",
  inputs: { cluster },
  outputs: { connection: { host, hostKey: hostKey(host), port: 22 } },
});
const providerAt = (name: string, host: string) => {
  const config = {
    host: `ssh://root@${host}`,
    sshOpts: JSON.stringify(sshOptions(hostKey(host), true)),
  };
  return {
    urn: urn("pulumi:providers:docker", name),
    type: "pulumi:providers:docker",
    inputs: { ...config, version: "5.2.0" },
    outputs: { ...config, version: "5.2.0" },
  };
};
const nodes = [
  node("manager-1", "1.1.1.1"),
  node("manager-2", "2.2.2.2"),
  node("worker-1", "3.3.3.3"),
];

/** What was handed back as the state, if anything. */
async function lead(resources: object[], answers: Record<string, Answer>) {
  let imported: { deployment: { resources: object[] } } | undefined;
  const lines = await leadToLivingManager(
    (words) => {
      const file = words[words.indexOf("--file") + 1] ?? "";
      if (words.includes("--file")) {
        imported = JSON.parse(fs.readFileSync(file, "utf8")) as typeof imported;
      }
      const stdout = JSON.stringify({ deployment: { resources } });
      return Promise.resolve({ code: 0, stdout: words[1] === "export" ? stdout : "", stderr: "" });
    },
    ({ host }) => Promise.resolve(answers[host]),
  );
  return { lines, resources: imported?.deployment.resources };
}

const [manager, worker] = [{ isManager: true }, { isManager: false }];

test("a refresh asks a manager that lives when the one in the state is dead", async () => {
  const state = [...nodes, providerAt("swarm", "1.1.1.1"), providerAt("worker-1", "3.3.3.3")];
  const { lines, resources } = await lead(state, { "2.2.2.2": manager, "3.3.3.3": worker });
  expect(lines).toEqual(["swarm: ssh://root@1.1.1.1 does not answer; asking 2.2.2.2"]);
  expect(resources).toEqual([
    ...nodes,
    providerAt("swarm", "2.2.2.2"),
    providerAt("worker-1", "3.3.3.3"),
  ]);
});

test("a second site's services are not looked for in the first site's swarm", async () => {
  const second = [node("manager-1", "4.4.4.4", "app-second-1"), providerAt("swarm", "4.4.4.4")];
  const { lines } = await lead([...nodes, ...second], { "2.2.2.2": manager });
  expect(lines).toEqual([]);
});

test.each([
  ["every host answers", { "1.1.1.1": manager, "2.2.2.2": manager, "3.3.3.3": worker }],
  ["nobody does", {}],
  ["only workers do", { "3.3.3.3": worker }],
])("the state is left alone when %s", async (_when, answers) => {
  const { lines, resources } = await lead([...nodes, providerAt("swarm", "1.1.1.1")], answers);
  expect({ lines, resources }).toEqual({ lines: [], resources: undefined });
});

test("where no node answers through the bastion that is there, a refresh says how to get another one", async () => {
  const bastion = { host: "9.9.9.9", hostKey: hostKey("9.9.9.9") };
  const behind = nodes.map(({ outputs, ...rest }) => ({
    ...rest,
    outputs: { connection: { ...outputs.connection, bastion } },
  }));
  const { lines, resources } = await lead([...behind, providerAt("swarm", "1.1.1.1")], {});
  expect(lines).toEqual([
    expect.stringMatching(
      /no node answers through the bastion 9\.9\.9\.9: .* delete that Droplet, and the next up makes another one/,
    ),
  ]);
  expect(resources).toBeUndefined();
});

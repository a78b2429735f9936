/** What must be closed is tried from outside, from a neighbour and from inside a container. */
import * as net from "node:net";
import type Docker from "dockerode";
import { execIn } from "../../../local/machines/docker/engine";
import type { SshConnection } from "../../../providers/swarm/ssh/connection";
import { connect } from "../../../providers/swarm/ssh/pool";
import type { Scenario } from "../drill";
import type { Ground } from "../ground";
import type { NodeOutput } from "../../outputs";

/** SSH, web, Docker, swarm, gossip, PostgreSQL, PgBouncer, Redis, the app itself, HAProxy's own pages. */
const PORTS = [22, 80, 443, 2375, 2376, 2377, 3000, 5432, 6379, 6432, 7946, 8404, 25060, 25061];
const CLOSED_AFTER_MS = 1500;
const METADATA = "http://169.254.169.254/metadata/v1/id";

/** What the outside may reach. A node takes web requests from its Load Balancer only. */
const OPEN = { front: [80], node: [22] };
/** What a node may reach of its neighbours: swarm's own ports. */
const OPEN_TO_NEIGHBOURS = { manager: [2377, 7946], worker: [7946] };

export const security: Scenario = {
  name: "security",
  action: "scan of every public address and private port; metadata and secrets",
  prepare: (ground) =>
    Promise.resolve(async () => {
      const outputs = await ground.outputs();
      const faults = [
        ...(await scanFromOutside(outputs.nodes, outputs.address ?? "")),
        ...(await scanFromNeighbour(outputs.nodes)),
        ...(await tryMetadata(ground, outputs.nodes)),
        ...(await lookForSecrets(ground)),
      ];
      if (faults.length > 0) throw new Error(faults.join("; "));
      const scanned = (outputs.nodes.length + 1) * PORTS.length;
      return [`${scanned} public and ${outputs.nodes.length * PORTS.length} private ports tried`];
    }),
};

async function scanFromOutside(nodes: readonly NodeOutput[], front: string): Promise<string[]> {
  const targets = [
    { name: "the front address", host: front, open: OPEN.front },
    ...nodes.flatMap(({ name, publicIp }) =>
      publicIp === undefined ? [] : { name, host: publicIp, open: OPEN.node },
    ),
  ];
  const found = await Promise.all(
    targets.flatMap(({ name, host, open }) =>
      PORTS.map(async (port) => {
        const expected = open.includes(port);
        if ((await answers(host, port)) === expected) return [];
        // A scan that does not see what is open proves nothing.
        return [`${name} (${host}) ${expected ? "does not answer" : "answers"} on port ${port}`];
      }),
    ),
  );
  return found.flat();
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(CLOSED_AFTER_MS, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

/** From one node to the others. */
async function scanFromNeighbour(nodes: readonly NodeOutput[]): Promise<string[]> {
  const scanner = nodes.at(-1);
  const shell = await shellOn(scanner);
  const faults: string[] = [];
  for (const { name, role, privateIp } of nodes) {
    if (privateIp === scanner?.privateIp) continue;
    const tries = PORTS.map(
      (port) => `(timeout 2 bash -c 'exec 3<>/dev/tcp/${privateIp}/${port}' && echo ${port}) &`,
    );
    const script = `{ ${tries.join(" ")} wait; } 2>/dev/null; true`;
    const said = await shell.output("scan a neighbour", script);
    const answering = new Set(said.split("\n").filter(Boolean).map(Number));
    const open = OPEN_TO_NEIGHBOURS[role === "manager" ? "manager" : "worker"];
    for (const port of PORTS.filter((each) => open.includes(each) !== answering.has(each))) {
      const does = answering.has(port) ? "answers" : "does not answer";
      faults.push(`${name} (${privateIp}) ${does} its neighbour on port ${port}`);
    }
  }
  return faults;
}

async function tryMetadata(ground: Ground, nodes: readonly NodeOutput[]): Promise<string[]> {
  const web = await ground.taskOf("web");
  const probe = `fetch("${METADATA}",{signal:AbortSignal.timeout(3000)}).then(()=>console.log("answered"),()=>console.log("closed"))`;
  const { stdout } = await execIn(web, ["node", "-e", probe]);
  const droplet = await execOn(
    nodes[0],
    `curl -sf -m 3 ${METADATA} >/dev/null && echo answered || true`,
  );
  return [
    ...(stdout.includes("closed") ? [] : ["an app container reaches the metadata service"]),
    // Else the container's silence proves nothing.
    ...(droplet.includes("answered") ? [] : ["a Droplet does not reach the metadata service"]),
  ];
}

/** The database's address with its password must be in no place that a colleague or a log would see. */
async function lookForSecrets(ground: Ground): Promise<string[]> {
  const { nodes } = await ground.outputs();
  const web = await ground.taskOf("web");
  const { stdout } = await execIn(web, ["cat", "/run/secrets/database_url"]);
  const password = /\/\/[^:]+:([^@]+)@/.exec(stdout)?.[1];
  if (password === undefined) throw new Error("the app has no database_url to look for");
  const manager = await ground.manager();
  const places = {
    "the exported state": (await ground.pulumi("stack", "export")).stdout,
    "the stack's outputs": (await ground.pulumi("stack", "output", "--json")).stdout,
    "the services of the swarm": JSON.stringify(await manager.listServices()),
    "an app container's definition": JSON.stringify(await web.inspect()),
    "the app's log": await logOf(web),
    "the user data": await execOn(nodes[0], "cat /var/lib/cloud/instance/user-data.txt"),
    "the process list": await execOn(nodes[0], "ps -ef"),
  };
  const needles = [password, Buffer.from(password).toString("base64")];
  return Object.entries(places)
    .filter(([, text]) => needles.some((needle) => text.includes(needle)))
    .map(([place]) => `the database's password is in ${place}`);
}

async function logOf(container: Docker.Container): Promise<string> {
  return (await container.logs({ stdout: true, stderr: true })).toString();
}

async function execOn(node: NodeOutput | undefined, command: string): Promise<string> {
  return (await shellOn(node)).output("look for secrets", command);
}

function shellOn(node: NodeOutput | undefined): Promise<SshConnection> {
  if (!node?.connection) throw new Error("the stack has no node");
  const { host, hostKey } = node.connection;
  return connect({ host, hostKey }, 15);
}

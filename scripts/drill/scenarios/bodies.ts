/** Large bodies across every pair of nodes: packets too large for the overlay network would be lost in silence. */
import type { NodeOutput } from "../../outputs";
import { closedLoop, type Question } from "../closed-loop";
import { kinds, type Scenario } from "../drill";
import { BASE, WEB, type Ground } from "../ground";

const REQUESTS = 10_000;
const CLIENTS = 8;
const MIB = 1024 * 1024;
const TASKS = 5;

/** Counts the bytes that come, or sends as many as it was asked for. */
const ECHO = `require("node:http").createServer((request, response) => {
  let bytes = 0;
  request.on("data", (chunk) => (bytes += chunk.length));
  request.on("end", () => response.end(request.method === "POST" ? String(bytes) : Buffer.alloc(${MIB}, 97)));
}).listen(3001)`;

const up: Question = {
  method: "POST",
  body: Buffer.alloc(MIB, "a"),
  isRight: (answer) => answer.toString() === String(MIB),
};
const down: Question = { method: "GET", isRight: (answer) => answer.length === MIB };

export const largeBodies: Scenario = {
  name: "large-bodies",
  action: `${REQUESTS.toLocaleString("en")} bodies of 1 MiB, up and down in turn, over every pair of nodes`,
  prepare: async (ground) => {
    const echo = {
      build: WEB.build,
      command: ["node", "-e", ECHO],
      port: 3001,
      routes: ["/echo"],
      health: { path: "/echo" },
      database: "none",
      replicas: TASKS,
    };
    await ground.mustUp({ ...BASE, services: { web: WEB, echo } });
    const { url, nodes } = await ground.outputs();
    return async () => {
      const { seconds, answered, reasons } = await closedLoop(
        new URL("/echo", url).href,
        CLIENTS,
        (sent) => sent < REQUESTS,
        (sent) => (sent % 2 === 0 ? up : down),
      );
      const pairs = await pairsUsed(ground, nodes);
      const facts = `${answered} bodies, ${Math.round(answered / seconds)} MiB/s, ${pairs} pairs of edge and task`;
      if (reasons.length > 0) throw new Error(`${kinds(reasons).join(", ")}; ${facts}`);
      if (pairs < nodes.length * TASKS) throw new Error(`not every pair was used: ${facts}`);
      return [facts];
    };
  },
};

/** Which edge asked which task, by the edges' access logs. */
async function pairsUsed(ground: Ground, nodes: readonly NodeOutput[]): Promise<number> {
  const pairs = new Set<string>();
  for (const { name } of nodes) {
    const docker = await ground.docker(name);
    const label = "com.docker.swarm.service.name=edge";
    for (const { Id } of await docker.listContainers({ filters: { label: [label] } })) {
      const log = await docker.getContainer(Id).logs({ stdout: true, tail: 3000 });
      const lines = log.toString("utf8").matchAll(/"path":"\\?\/echo".*?"server":"([^"]+)"/g);
      for (const [, server] of lines) pairs.add(`${name} ${server}`);
    }
  }
  return pairs.size;
}

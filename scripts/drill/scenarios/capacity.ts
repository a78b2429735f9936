/** How much more two and four nodes can do than one, each with a small, fixed share of a processor. */
import { connectEngine } from "../../../local/machines/docker/engine";
import { limits } from "../../../local/machines/docker/droplet-container";
import { ID_LABEL, ROLE_LABEL } from "../../../local/machines/docker/names";
import { closedLoop, type Question } from "../closed-loop";
import { kinds, type Scenario } from "../drill";
import { BASE, WEB, type Ground, type StackConfig } from "../ground";

/** From many to few, so that no new node starts up on a share. */
const NODE_COUNTS = [4, 2, 1];
/** Four nodes, Load Balancer and clients must fit into two processors. */
const SHARE = 0.25;
const WHOLE = 2;
const CLIENTS_PER_NODE = 8;
const [WARM_UP_SECONDS, SECONDS] = [5, 20];
const LEAST_OF_LINEAR = 0.9;

/** A page that takes the app so much of a processor, whichever machine it is, that the app is what is short, and not who asks. */
const PATH = "work";
const WORK_MICROSECONDS = 8000;
const APP = `
  require("node:http").createServer((request, response) => {
    const start = process.cpuUsage();
    const spent = () => { const { user, system } = process.cpuUsage(start); return user + system; };
    while (request.url === "/${PATH}" && spent() < ${WORK_MICROSECONDS});
    response.end("done");
  }).listen(3000);`;
const work: Question = { method: "GET", isRight: (answer) => answer.toString() === "done" };

const fleetOf = (nodes: number): StackConfig => ({
  ...BASE,
  managers: { count: 1, size: "s-2vcpu-2gb" },
  workers: { count: nodes - 1, size: "s-2vcpu-2gb" },
  services: {
    web: {
      build: WEB.build,
      command: ["node", "-e", APP],
      port: 3000,
      routes: ["/"],
      database: "none",
      replicas: nodes,
    },
  },
});

export const capacity: Scenario = {
  name: "capacity",
  action: `requests/s of ${NODE_COUNTS.join(", ")} nodes with ${SHARE} of a processor each`,
  prepare: async (ground) => {
    await ground.mustUp(fleetOf(NODE_COUNTS[0] ?? 1));
    return async () => {
      const measured = new Map<number, number>();
      for (const nodes of NODE_COUNTS) {
        await ground.mustUp(fleetOf(nodes));
        await share(ground, SHARE);
        measured.set(nodes, await requestsPerSecond(ground, nodes));
        await share(ground, WHOLE);
      }
      const one = measured.get(1) ?? NaN;
      const lines = [...measured].map(
        ([nodes, rate]) =>
          `${nodes} nodes: ${Math.round(rate)} requests/s, ${(rate / (nodes * one)).toFixed(2)} of linear`,
      );
      if ([...measured].some(([nodes, rate]) => rate < LEAST_OF_LINEAR * nodes * one))
        throw new Error(lines.join("; "));
      return lines;
    };
  },
};

async function requestsPerSecond(ground: Ground, nodes: number): Promise<number> {
  const { url } = await ground.outputs();
  const during = (seconds: number) => {
    const end = Date.now() + seconds * 1000;
    const clients = nodes * CLIENTS_PER_NODE;
    return closedLoop(
      new URL(PATH, url).href,
      clients,
      () => Date.now() < end,
      () => work,
    );
  };
  await during(WARM_UP_SECONDS);
  const { answered, seconds, reasons } = await during(SECONDS);
  if (reasons.length > 0) throw new Error(`${nodes} nodes: ${kinds(reasons).join(", ")}`);
  return answered / seconds;
}

/** Limits every Droplet to so much of a processor. */
async function share(ground: Ground, processors: number): Promise<void> {
  const docker = connectEngine();
  const own = await ground.api<{ droplets: { id: number }[] }>("GET", "/v2/droplets?per_page=200");
  const ids = new Set(own.droplets.map(({ id }) => String(id)));
  const containers = await docker.listContainers({ filters: { label: [`${ROLE_LABEL}=droplet`] } });
  for (const { Id, Labels } of containers) {
    if (!ids.has(Labels[ID_LABEL] ?? "")) continue;
    const { CpuPeriod, CpuQuota } = limits({ vcpus: processors, memoryMib: 2048 });
    await docker.getContainer(Id).update({ CpuPeriod, CpuQuota });
  }
}

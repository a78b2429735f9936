/** The swarm topology on real Droplets behind a real Load Balancer: formed, scaled, hurt, healed and gone again. */
import * as path from "node:path";
import Docker from "dockerode";
import { INSTANCE_LABEL, ROLE_LABEL } from "../../local/machines/docker/names";
import { preflight } from "../../local/machines/docker/preflight";
import { instanceId } from "../../local/paths";
import { succeeded } from "../program/support/cloud";
import { eventually } from "./fixture";
import { counter, House, visitedDuring } from "./house";

const size = "s-1vcpu-2gb";
const withWorkers = (count: number) => ({
  topology: "swarm",
  region: "fra1",
  vpcCidr: "10.97.16.0/20",
  // One manager has no quorum to lose, and one Droplet less to boot.
  managers: { count: 1, size },
  workers: { count, size },
  services: {
    web: {
      build: { context: "examples/notes" },
      port: 3000,
      routes: ["/"],
      replicas: 3,
      health: { path: "/healthz", intervalSeconds: 1, timeoutSeconds: 1, retries: 2 },
      release: ["node", "/app/server.js", "migrate"],
    },
  },
});

const docker = new Docker();
const house = new House("fleet");
const { cloud } = house;
const ours = { label: [`${INSTANCE_LABEL}=${instanceId(path.join(cloud.dir, "local"))}`] };
let url: string;

let impossible: string | undefined;
beforeAll(async () => {
  impossible = await preflight();
  if (impossible) process.stderr.write(`swarm is not tested on machines: ${impossible}\n`);
});
afterAll(() => cloud.remove(), 120_000);

/** Where machines cannot be real the reason has been printed. */
function onMachines(name: string, body: () => Promise<void>, timeoutSeconds = 400): void {
  test(name, async () => (impossible ? undefined : body()), timeoutSeconds * 1000);
}

/** Names of the nodes that the swarm counts as its own and well. */
async function members(): Promise<string[]> {
  const said = await house.onNode("docker node ls --format '{{.Hostname}} {{.Status}}'");
  return said
    .split("\n")
    .filter((line) => line.endsWith(" Ready"))
    .map((line) => line.replace(" Ready", ""))
    .sort();
}

const roles = async () =>
  (await docker.listContainers({ all: true, filters: ours }))
    .map(({ Labels }) => Labels[ROLE_LABEL])
    .sort();

onMachines(
  "a manager and a worker form a swarm that answers at the Load Balancer's address",
  async () => {
    cloud.stack("fleet", withWorkers(1));
    succeeded(await house.up());
    ({ url } = await house.outputs());
    expect(await counter(url, "POST")).toBe(1);
    expect(await members()).toEqual(["fleet-manager-1", "fleet-worker-1"]);
    expect(await roles()).toContain("load-balancer");
    succeeded(await cloud.local("preview", "fleet", "--expect-no-changes"));
  },
  600,
);

onMachines("every node answers visitors, and none of them by its own address", async () => {
  const { nodes } = await house.outputs();
  const pages = await Promise.all(Array.from({ length: 12 }, () => fetch(url)));
  const said = await Promise.all(pages.map((page) => page.text()));
  const served = nodes.filter(({ name }) => said.some((text) => text.includes(`fleet-${name}`)));
  expect(served.map(({ name }) => name).sort()).toEqual(["manager-1", "worker-1"]);
  const direct = nodes.map(({ publicIp }) =>
    fetch(`http://${publicIp}/`, { signal: AbortSignal.timeout(2000) }).then(
      () => "answered",
      (error: Error) => error.name,
    ),
  );
  expect(new Set(await Promise.all(direct))).toEqual(new Set(["TimeoutError"]));
});

onMachines("a worker more, and no visitor notices", async () => {
  cloud.stack("fleet", withWorkers(2));
  const { value: up, visits, failures } = await visitedDuring(url, house.up());
  succeeded(up);
  expect(failures).toEqual([]);
  expect(visits).toBeGreaterThan(20);
  expect(await members()).toEqual(["fleet-manager-1", "fleet-worker-1", "fleet-worker-2"]);
});

onMachines("a worker that dies is left out within seconds, and comes back by up", async () => {
  const { droplets } = await cloud.api<{ droplets: { id: number; name: string }[] }>(
    "GET",
    "/v2/droplets",
  );
  const lost = droplets.find(({ name }) => name === "fleet-worker-1");
  await cloud.api("DELETE", `/v2/droplets/${lost?.id}`);
  await eventually("twenty answers in a row", async () => {
    for (let answers = 0; answers < 20; answers++) await counter(url);
    return true;
  });
  succeeded(await cloud.local("refresh", "fleet", "--yes", "--skip-preview"));
  const { value: up, failures } = await visitedDuring(url, house.up());
  succeeded(up);
  expect(failures).toEqual([]);
  expect(await members()).toEqual(["fleet-manager-1", "fleet-worker-1", "fleet-worker-2"]);
});

onMachines("two workers less, and no visitor notices", async () => {
  cloud.stack("fleet", withWorkers(0));
  const { value: up, visits, failures } = await visitedDuring(url, house.up());
  succeeded(up);
  expect(failures).toEqual([]);
  expect(visits).toBeGreaterThan(20);
  expect(await members()).toEqual(["fleet-manager-1"]);
  expect(await counter(url)).toBe(1);
});

onMachines("destroyed, leaves no machine, network or Volume behind", async () => {
  succeeded(await cloud.local("destroy", "fleet", "--yes", "--skip-preview"));
  expect(await roles()).toEqual(["helper", "mirror", "names"]);
  expect(await docker.listNetworks({ filters: ours })).toEqual([]);
});

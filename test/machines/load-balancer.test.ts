/** A Load Balancer's body, with real requests through its public address. */
import Docker from "dockerode";
import { DockerMachines, resetMachines } from "../../local/machines/docker";
import { requireImages } from "../../local/machines/docker/images";
import { objectLabels, objectName, vpcName } from "../../local/machines/docker/names";
import { preflight } from "../../local/machines/docker/preflight";
import type { LoadBalancerSpec, NetworkSpec } from "../../local/machines/machines";
import { eventually } from "./fixture";

const INSTANCE = "1bba1a";
const PUBLIC = "127.249.7.9";
const vpc = { id: "vpc-lb", name: "lb", ipRange: "10.249.7.0/24" };
const docker = new Docker();
const machines = new DockerMachines({ instance: INSTANCE, docker, publicPool: "127.249.7.0/24" });
const target = (id: number) => ({ dropletId: id, privateIp: `10.249.7.${id}` });

const balancer = (targets: readonly number[]): LoadBalancerSpec => ({
  id: "front",
  name: "front",
  vpcId: vpc.id,
  privateIp: "10.249.7.9",
  nodes: 1,
  rules: [
    {
      entryProtocol: "http",
      entryPort: 80,
      targetProtocol: "http",
      targetPort: 80,
      tlsPassthrough: false,
      certificatePem: undefined,
    },
  ],
  healthCheck: {
    protocol: "http",
    port: 80,
    path: "/up",
    intervalSeconds: 1,
    timeoutSeconds: 1,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
  },
  algorithm: "round_robin",
  stickyCookie: undefined,
  redirectHttpToHttps: false,
  proxyProtocol: false,
  backendKeepalive: false,
  httpIdleTimeoutSeconds: 60,
  deny: [],
  targets: targets.map(target),
});

const network: NetworkSpec = {
  vpcs: [vpc],
  droplets: [],
  addresses: [],
  services: [{ address: PUBLIC, vpcId: vpc.id, privateIp: "10.249.7.9" }],
  firewalls: [],
  guards: [
    {
      vpcId: vpc.id,
      privateIp: "10.249.7.9",
      inbound: [{ protocol: "tcp", ports: "80", cidrs: ["0.0.0.0/0"] }],
    },
  ],
  metadataPort: 9,
};

/** Says who it is and what it was asked with; a Droplet would take ten seconds more to boot. */
const SERVER = `require("http").createServer((q, r) => r.end(JSON.stringify({
  who: process.env.WHO, from: q.headers["x-forwarded-for"], peer: q.socket.remoteAddress })))
  .listen(80)`;

async function startServer(id: number): Promise<Docker.Container> {
  const { mirror } = await requireImages(docker);
  const name = vpcName(INSTANCE, vpc.id);
  const container = await docker.createContainer({
    name: objectName(INSTANCE, "server", id),
    Image: mirror,
    Labels: objectLabels(INSTANCE, "droplet", id),
    Cmd: ["node", "-e", SERVER],
    Env: [`WHO=${id}`],
    HostConfig: { NetworkMode: name },
    NetworkingConfig: {
      EndpointsConfig: { [name]: { IPAMConfig: { IPv4Address: target(id).privateIp } } },
    },
  });
  await container.start();
  return container;
}

interface Answer {
  readonly who: string;
  readonly from: string;
  readonly peer: string;
}

async function ask(): Promise<Answer> {
  const response = await fetch(`http://${PUBLIC}/`, {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as Answer;
}

const whoAnswers = async (count: number) =>
  [
    ...new Set(await Promise.all(Array.from({ length: count }, async () => (await ask()).who))),
  ].sort();

const untilHealth = (wanted: Record<number, "up" | "down">) =>
  eventually(`health ${JSON.stringify(wanted)}`, async () => {
    const health = Object.fromEntries(await machines.balancerHealth("front"));
    return JSON.stringify(health) === JSON.stringify(wanted);
  });

let impossible: string | undefined;
let first: Docker.Container;
beforeAll(async () => {
  impossible = await preflight();
  if (impossible) {
    process.stderr.write(`Load Balancers are not tested on machines: ${impossible}\n`);
    return;
  }
  await resetMachines(INSTANCE, docker);
  await machines.createVpc(vpc);
  [first] = await Promise.all([startServer(2), startServer(3)]);
  await machines.applyNetwork(network);
  await machines.applyLoadBalancer(balancer([2, 3]));
}, 120_000);
afterAll(() => resetMachines(INSTANCE, docker), 60_000);

const onMachines = (name: string, body: () => Promise<void>) =>
  test(name, async () => (impossible ? undefined : body()), 60_000);

describe("a Load Balancer", () => {
  onMachines("shares requests among its targets, and tells them who asked", async () => {
    await untilHealth({ 2: "up", 3: "up" });
    expect(await whoAnswers(10)).toEqual(["2", "3"]);
    const { from, peer } = await ask();
    expect(from).toMatch(/^247\./);
    expect(peer).toContain("10.249.7.9");
  });

  onMachines("sends nothing to a new target before its checks pass", async () => {
    // Nobody is there.
    await machines.applyLoadBalancer(balancer([2, 3, 4]));
    expect(await whoAnswers(30)).toEqual(["2", "3"]);
    await machines.applyLoadBalancer(balancer([2, 3]));
    expect(await whoAnswers(10)).toEqual(["2", "3"]);
  });

  onMachines("sends nothing to a target that has died, once it knows", async () => {
    await first.kill();
    await untilHealth({ 2: "down", 3: "up" });
    expect(await whoAnswers(20)).toEqual(["3"]);
    await first.start();
    await untilHealth({ 2: "up", 3: "up" });
    expect(await whoAnswers(10)).toEqual(["2", "3"]);
  });

  onMachines("is gone once it is deleted", async () => {
    await machines.deleteLoadBalancer("front");
    await expect(ask()).rejects.toThrow();
  });
});

/** A Load Balancer's body, with real requests through its public address. */
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import Docker from "dockerode";
import { DockerMachines, resetMachines } from "../../local/machines/docker";
import { requireImages } from "../../local/machines/docker/images";
import { objectLabels, objectName, vpcName } from "../../local/machines/docker/names";
import { preflight } from "../../local/machines/docker/preflight";
import type { LoadBalancerSpec, NetworkSpec } from "../../local/machines/machines";
import { TestAuthority } from "./certificates";
import { eventually } from "./fixture";

const INSTANCE = "1bba1a";
const PUBLIC = "127.249.7.9";
const vpc = { id: "vpc-lb", name: "lb", ipRange: "10.249.7.0/24" };
const docker = new Docker();
const machines = new DockerMachines({ instance: INSTANCE, docker, publicPool: "127.249.7.0/24" });
const target = (id: number) => ({ dropletId: id, privateIp: `10.249.7.${id}` });

const RULE = {
  targetProtocol: "http",
  targetPort: 80,
  tlsPassthrough: false,
  certificatePem: undefined,
} as const;

const balancer = (
  targets: readonly number[],
  change: Partial<LoadBalancerSpec> = {},
): LoadBalancerSpec => ({
  id: "front",
  name: "front",
  vpcId: vpc.id,
  privateIp: "10.249.7.9",
  nodes: 1,
  rules: [{ ...RULE, entryProtocol: "http", entryPort: 80 }],
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
  ...change,
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
      inbound: ["80", "443"].map((ports) => ({ protocol: "tcp", ports, cidrs: ["0.0.0.0/0"] })),
    },
  ],
  metadataPort: 9,
};

/** Says who it is and what it was asked with, at /slow after two seconds; a Droplet would take ten more to boot. */
const SERVER = `require("http").createServer((q, r) => setTimeout(() => r.end(JSON.stringify({
  who: process.env.WHO, from: q.headers["x-forwarded-for"], proto: q.headers["x-forwarded-proto"],
  port: q.headers["x-forwarded-port"], cookie: q.headers.cookie, peer: q.socket.remoteAddress })),
  q.url === "/slow" ? 2000 : 0)).listen(80)`;

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
  readonly proto: string;
  readonly port: string;
  readonly cookie?: string;
  readonly peer: string;
}

async function ask(path = "/"): Promise<Answer> {
  const response = await fetch(`http://${PUBLIC}${path}`, {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as Answer;
}

interface Response {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A GET that follows no redirect. */
function get(
  url: string,
  options: https.RequestOptions,
  onSocket: (socket: Socket) => void = () => undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith("https:") ? https : http;
    const asked = request(url, { timeout: 5000, ...options }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body }),
      );
    });
    asked.on("socket", onSocket);
    asked.on("error", reject);
    asked.end();
  });
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
    const { from, peer, proto, port } = await ask();
    expect({ from, proto, port }).toEqual({ from: "247.0.0.1", proto: "http", port: "80" });
    expect(peer).toContain("10.249.7.9");
  });

  onMachines(
    "finishes what it serves while it changes, and a client's connection stays",
    async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const sockets = new Set<Socket>();
      const kept = () => get(`http://${PUBLIC}/`, { agent }, (socket) => sockets.add(socket));
      await kept();
      const slow = ask("/slow");
      await machines.applyLoadBalancer(balancer([2, 3], { algorithm: "least_connections" }));
      expect((await kept()).status).toBe(200);
      expect(["2", "3"]).toContain((await slow).who);
      expect(sockets.size).toBe(1);
      agent.destroy();
    },
  );

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

  onMachines("ends TLS, leads HTTP there, and keeps a client at its target by cookie", async () => {
    const authority = await TestAuthority.make();
    const { keyPem, certificatePem } = await authority.issue("shop.example.com");
    const pem = keyPem + "\n" + certificatePem;
    const https = { ...RULE, entryProtocol: "http2", entryPort: 443, certificatePem: pem } as const;
    await machines.applyLoadBalancer(
      balancer([2, 3], {
        rules: [{ ...RULE, entryProtocol: "http", entryPort: 80 }, https],
        redirectHttpToHttps: true,
        stickyCookie: { name: "DO-LB", ttlSeconds: 300 },
      }),
    );
    const redirect = await get(`http://${PUBLIC}/a?b=c`, { headers: { host: "shop.example.com" } });
    expect(redirect.headers.location).toBe("https://shop.example.com/a?b=c");

    const secure = { ca: authority.pem, servername: "shop.example.com", agent: false as const };
    const first = await get(`https://${PUBLIC}/`, secure);
    const { who, proto, port } = JSON.parse(first.body) as Answer;
    expect({ proto, port }).toEqual({ proto: "https", port: "443" });
    const cookie = first.headers["set-cookie"]?.[0] ?? "";
    expect(cookie).toMatch(/^DO-LB=.*Max-Age=300/);
    for (let round = 0; round < 6; round++) {
      const again = await get(`https://${PUBLIC}/`, {
        ...secure,
        headers: { cookie: cookie.split(";")[0] },
      });
      const answer = JSON.parse(again.body) as Answer;
      expect(answer.who).toBe(who);
      expect(answer.cookie).toBeUndefined();
    }
  });

  onMachines("shows no key to those who inspect its container", async () => {
    const container = docker.getContainer(objectName(INSTANCE, "load-balancer", "front"));
    expect(JSON.stringify(await container.inspect())).not.toContain("PRIVATE KEY");
  });

  onMachines(
    "refuses settings that HAProxy cannot load, and goes on with the old ones",
    async () => {
      const broken = {
        ...RULE,
        entryProtocol: "https",
        entryPort: 443,
        certificatePem: "no PEM",
      } as const;
      const change = machines.applyLoadBalancer(balancer([2, 3], { rules: [broken] }));
      await expect(change).rejects.toThrow("could not change Load Balancer front");
      expect((await get(`http://${PUBLIC}/`, {})).status).toBe(307);
    },
  );

  onMachines("is gone once it is deleted", async () => {
    await machines.deleteLoadBalancer("front");
    await expect(ask()).rejects.toThrow();
  });
});

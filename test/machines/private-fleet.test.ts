/** Nodes without public addresses, and what DigitalOcean runs for them: certificate, registry, database and cache. */
import * as https from "node:https";
import * as net from "node:net";
import Docker from "dockerode";
import { INSTANCE_LABEL, ROLE_LABEL } from "../../local/machines/docker/names";
import { preflight } from "../../local/machines/docker/preflight";
import { instanceId } from "../../local/paths";
import * as path from "node:path";
import { succeeded } from "../program/support/cloud";
import { eventually } from "./fixture";
import { containerOf, House } from "./house";

const NAME = "shop.example.org";
const size = "s-1vcpu-2gb";
const stack = {
  topology: "swarm",
  region: "fra1",
  vpcCidr: "10.97.32.0/20",
  privateNodes: true,
  domain: NAME,
  registry: "digitalocean",
  cache: "managed",
  managers: { count: 1, size },
  workers: { count: 1, size },
  services: {
    web: {
      build: { context: "examples/notes" },
      port: 3000,
      routes: ["/"],
      replicas: 2,
      health: { path: "/healthz", intervalSeconds: 1, timeoutSeconds: 1, retries: 2 },
      release: ["node", "/app/server.js", "migrate"],
    },
  },
};

const docker = new Docker();
const house = new House("shop");
const { cloud } = house;
const ours = { label: [`${INSTANCE_LABEL}=${instanceId(path.join(cloud.dir, "local"))}`] };

const isAskedFor = process.env.ARCHIPELAGO_TEST_FLEET === "1";
if (!isAskedFor)
  process.stderr.write(
    "SKIPPED private nodes on machines, as two cores are too few for them beside the other machine tests: " +
      "ARCHIPELAGO_TEST_FLEET=1 npm test -- test/machines/private-fleet.test.ts\n",
  );

let impossible: string | undefined;
let address: string;
let ca: string;

beforeAll(async () => {
  impossible = await preflight();
  if (impossible) process.stderr.write(`private nodes are not tested on machines: ${impossible}\n`);
});
afterAll(() => cloud.remove(), 120_000);

/** Where machines cannot be real the reason has been printed. */
function onMachines(name: string, body: () => Promise<void>, timeoutSeconds = 300): void {
  const run = isAskedFor ? test : test.skip;
  run(name, async () => (impossible ? undefined : body()), timeoutSeconds * 1000);
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

/** As a browser asks that finds the name where the stack's DNS zone says. */
function browse(resource: string, options: https.RequestOptions & { body?: object } = {}) {
  const { body, headers, ...rest } = options;
  return new Promise<Answer>((resolve, reject) => {
    const request = https.request(
      {
        host: address,
        servername: NAME,
        path: resource,
        ca,
        headers: { host: NAME, ...(body && { "content-type": "application/json" }), ...headers },
        timeout: 5000,
        ...rest,
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer within 5 s")));
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  });
}

/** Whether somebody accepts connections there. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 1500 });
    const end = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}

onMachines(
  "nodes without public addresses serve by HTTPS under the stack's name, and HTTP leads there",
  async () => {
    cloud.stack("shop", stack);
    succeeded(await house.up());
    const outputs = await house.outputs();
    expect(outputs.url).toBe(`https://${NAME}/`);
    address = outputs.address ?? "";
    ca = await (await fetch(`${cloud.url}/ca`)).text();
    expect((await browse("/")).status).toBe(200);
    const plain = await fetch(`http://${address}/api/counter?a=b`, {
      redirect: "manual",
      headers: { host: NAME },
    });
    expect(plain.status).toBeGreaterThanOrEqual(301);
    expect(plain.status).toBeLessThanOrEqual(308);
    // The Host header of fetch is its own.
    expect(plain.headers.get("location")).toMatch(/^https:\/\/[^/]+\/api\/counter\?a=b$/);
    succeeded(await cloud.local("preview", "shop", "--expect-no-changes"));
  },
  600,
);

onMachines(
  "only the bastion is to be reached, by SSH alone, and it leads to every node",
  async () => {
    const { nodes, bastion } = await house.outputs();
    expect(nodes.map(({ publicIp }) => publicIp)).toEqual([undefined, undefined]);
    const host = bastion?.publicIp ?? "";
    expect(await answers(host, 22)).toBe(true);
    for (const port of [80, 443, 2376, 2377, 7946]) expect(await answers(host, port)).toBe(false);
    for (const { privateIp } of nodes) expect(await answers(privateIp, 22)).toBe(false);
    const shell = async (...words: string[]) =>
      succeeded(await cloud.npm("ssh", "shop", ...words)).stdout.trim();
    expect(await shell("worker-1", "hostname")).toBe("shop-worker-1");
    expect(await shell("bastion", "hostname")).toBe("shop-bastion");
    // The operator's keys and agent stay at home.
    expect(await shell("bastion", "echo ${SSH_AUTH_SOCK:-none}; ls /root/.ssh")).toBe(
      "none\nauthorized_keys",
    );
    const status = succeeded(await cloud.npm("status", "shop", "--json"));
    expect(JSON.parse(status.stdout)).toMatchObject({ nodes: [{}, {}] });
    expect(succeeded(await cloud.npm("logs", "shop", "web")).stdout).toContain("web | ");
  },
);

onMachines(
  "each node runs the image by its digest, pulled from the account's registry",
  async () => {
    const { services } = await house.outputs();
    expect(services.web?.image).toMatch(
      /^registry\.digitalocean\.com\/[\w-]+\/web@sha256:[0-9a-f]{64}$/,
    );
    const digest = services.web?.image.split("@")[1] ?? "";
    for (const node of ["manager-1", "worker-1"]) {
      const list = "docker image ls --digests --format '{{.Repository}} {{.Digest}}'";
      const held = succeeded(await cloud.npm("ssh", "shop", node, list)).stdout;
      expect(held).toContain(digest);
    }
  },
);

onMachines("a session outlives the tasks that began it, in the managed cache", async () => {
  const begun = await browse("/api/session", { method: "POST", body: { name: "Ada" } });
  const [cookie = ""] = [begun.headers["set-cookie"]].flat() as string[];
  expect(cookie).toContain("Secure");
  const visit = () => browse("/api/session", { headers: { cookie: cookie.split(";")[0] } });
  expect((await visit()).text).toContain("Ada");
  for (const node of ["manager-1", "worker-1"])
    await cloud.npm("ssh", "shop", node, `docker kill ${containerOf("web")}`);
  await eventually("the session from a new task", async () => {
    const { status, text } = await visit();
    return status === 200 && text.includes("Ada");
  });
});

onMachines("without a way out a node pulls nothing, and up gives it another one", async () => {
  const ask =
    "timeout 5 bash -c 'exec 3<>/dev/tcp/registry.digitalocean.com/443' && echo reached || echo cut off";
  const says = async () => succeeded(await cloud.npm("ssh", "shop", "worker-1", ask)).stdout.trim();
  expect(await says()).toBe("reached");
  const { vpc_nat_gateways: gateways } = await cloud.api<{ vpc_nat_gateways: { id: string }[] }>(
    "GET",
    "/v2/vpc_nat_gateways",
  );
  await cloud.api("DELETE", `/v2/vpc_nat_gateways/${gateways[0]?.id}`);
  await eventually("the node to be cut off", async () => (await says()) === "cut off");
  expect((await browse("/")).status).toBe(200);
  succeeded(await cloud.local("up", "shop", "--yes", "--skip-preview", "--refresh"));
  expect(await says()).toBe("reached");
});

onMachines("a bastion that is lost is no loss for visitors, and is replaced by up", async () => {
  const { droplets } = await cloud.api<{ droplets: { id: number; name: string }[] }>(
    "GET",
    "/v2/droplets",
  );
  const lost = droplets.find(({ name }) => name === "shop-bastion");
  await cloud.api("DELETE", `/v2/droplets/${lost?.id}`);
  expect((await browse("/")).status).toBe(200);
  const refreshed = await cloud.local("refresh", "shop", "--yes", "--skip-preview");
  expect(refreshed.code).toBe(1);
  expect(refreshed.output).toContain("npm run local -- up shop makes another one");
  const status = await cloud.npm("status", "shop");
  expect(status.output).toMatch(/the bastion .* does not let through: .* `up` makes another one/);
  succeeded(await cloud.local("up", "shop", "--yes", "--skip-preview", "--refresh"));
  expect(await house.onNode("hostname")).toBe("shop-manager-1");
  succeeded(await cloud.local("preview", "shop", "--refresh", "--expect-no-changes"));
});

onMachines("destroyed, leaves no machine, network or NAT gateway behind", async () => {
  succeeded(await cloud.local("destroy", "shop", "--yes", "--skip-preview"));
  const left = await docker.listContainers({ all: true, filters: ours });
  expect(left.map(({ Labels }) => Labels[ROLE_LABEL]).sort()).toEqual([
    "helper",
    "mirror",
    "names",
  ]);
  expect(await docker.listNetworks({ filters: ours })).toEqual([]);
});

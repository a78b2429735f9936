/**
 * The swarm provider on the real Pulumi engine, against a fake node (an SSH server in this process with a scripted
 * Docker API). What a real Docker engine makes of it is for the machine tests to prove.
 */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, Stack, type EngineEvent } from "@pulumi/pulumi/automation";
import { keptPassword, ownPassword } from "../../../components/postgres";
import { ensureEngine } from "../../../local/engine/engine";
import { fingerprint, parsePublicKey } from "../../../providers/swarm/ssh/host-keys";
import * as swarm from "../../../providers/swarm/sdk";
import { FakeDroplet } from "../../unit/swarm/support/fake-droplet";

jest.setTimeout(600_000);

const root = path.resolve(__dirname, "../../..");
let directory: string;
let droplet: FakeDroplet;
/** DigitalOcean's API, which knows that one Droplet. */
const api = http.createServer((request, response) => {
  const networks = { v4: [{ ip_address: "127.0.0.1", type: "public" }] };
  const one = { id: 1, name: "node-1", networks, tags: ["archipelago-shop"], size_slug: "small" };
  response.end(
    JSON.stringify(request.url?.endsWith("/droplets/1") ? { droplet: one } : { droplets: [one] }),
  );
});

beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(tmpdir(), "archipelago-swarm-"));
  droplet = await FakeDroplet.start();
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  const engine = await ensureEngine({ note: () => undefined });
  // The automation API looks for `pulumi` on the path of this process.
  process.env["PATH"] = `${engine}${path.delimiter}${process.env["PATH"]}`;
});

afterAll(async () => {
  await droplet.stop();
  api.close();
  fs.rmSync(directory, { recursive: true });
});

async function stackOf(
  program: () => Promise<Record<string, unknown>>,
  name: string,
): Promise<Stack> {
  const at = (part: string) => {
    const made = path.join(directory, part);
    fs.mkdirSync(made, { recursive: true });
    return made;
  };
  const workspace = await LocalWorkspace.create({
    workDir: at(`work-${name}`),
    pulumiHome: at("home"),
    program,
    projectSettings: {
      name: "swarm",
      runtime: "nodejs",
      backend: { url: `file://${at("backend")}` },
      plugins: { providers: [{ name: "swarm", path: path.join(root, "providers/swarm") }] },
    } as unknown as pulumi.automation.ProjectSettings,
    envVars: {
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      ARCHIPELAGO_SSH_KEY: droplet.operatorFile,
      DIGITALOCEAN_API_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
      DIGITALOCEAN_TOKEN: "test",
    },
  });
  return Stack.createOrSelect(name, workspace);
}

function stateFile(stack: string): string {
  return fs.readFileSync(
    path.join(directory, `backend/.pulumi/stacks/swarm/${stack}.json`),
    "utf8",
  );
}

/** Everything that the engine tells on the screen. */
function messages(events: readonly EngineEvent[]): string {
  return events.map(({ diagnosticEvent }) => diagnosticEvent?.message ?? "").join("\n");
}

describe("keys and passwords", () => {
  const program = () => {
    const key = new swarm.HostKey("node-1", { name: "node-1" });
    const password = new swarm.Password("database", {});
    return Promise.resolve({
      publicKey: key.publicKey,
      privateKey: key.privateKey,
      password: password.value,
    });
  };

  test("are made once, kept encrypted, and a second up changes nothing", async () => {
    const stack = await stackOf(program, "secrets");
    const preview = await stack.preview();
    expect(preview.changeSummary).toEqual({ create: 3 });

    const { outputs } = await stack.up();
    expect(outputs["publicKey"]?.value).toMatch(/^ssh-ed25519 AAAA[\w+/=]+$/);
    expect(outputs["privateKey"]).toMatchObject({
      value: expect.stringMatching(/^-----BEGIN OPENSSH PRIVATE KEY-----/) as string,
      secret: true,
    });
    expect(outputs["password"]).toMatchObject({
      value: expect.stringMatching(/^[A-Za-z0-9]{32}$/) as string,
      secret: true,
    });
    const state = stateFile("secrets");
    expect(state).not.toContain("PRIVATE KEY");
    expect(state).not.toContain(outputs["password"]?.value);

    await stack.preview({ expectNoChanges: true });
    await stack.refresh();
    const again = await stack.up({ expectNoChanges: true });
    expect(again.outputs["password"]?.value).toBe(outputs["password"]?.value);
    expect((await stack.destroy()).summary.resourceChanges).toEqual({ delete: 3 });
  });
});

test("a database's password is the app's through a move that was refused, given up, and made in the end", async () => {
  const container = () => {
    const postgres = new pulumi.ComponentResource("archipelago:database:Postgres", "postgres");
    return Promise.resolve({ password: ownPassword("postgres", "app", postgres).value });
  };
  const moved = () => Promise.resolve({ password: keptPassword("postgres", "app", {}) });
  const refused = () => {
    const password = keptPassword("postgres", "app", {});
    // Looked at once the password is what the state says of it.
    new swarm.HostKey("refused", { name: password.apply(() => "") });
    return Promise.resolve({});
  };
  const { password } = (await (await stackOf(container, "moved")).up()).outputs;
  await expect((await stackOf(refused, "moved")).up()).rejects.toThrow("name must");
  for (const program of [container, moved, container]) {
    const { outputs, summary } = await (await stackOf(program, "moved")).up();
    expect(outputs["password"]?.value).toBe(password?.value);
    expect(summary.resourceChanges).not.toHaveProperty("replace");
  }
});

describe("a node", () => {
  let labels: Record<string, string> = { zone: "a" };
  const program = () => {
    const cluster = new swarm.Cluster("swarm", {
      ...droplet.clusterInputs,
      defaultAddrPool: ["10.200.0.0/16"],
    });
    const { id, signingKey, tag } = cluster;
    const node = new swarm.Node("node-1", {
      ...droplet.nodeInputs,
      cluster: id,
      clusterKey: signingKey,
      labels,
    });
    const manager = swarm.livingManager({
      clusterId: id,
      clusterKey: signingKey,
      tag,
      candidates: [node.connection],
    });
    return Promise.resolve({ nodeId: node.nodeId, manager });
  };

  test("is previewed with unknowns, joined, left alone, relabelled, missed when it left, and taken out", async () => {
    const stack = await stackOf(program, "node");
    await stack.preview();
    expect(droplet.node.scripts).toEqual([]);

    const up = await stack.up();
    expect(up.outputs["nodeId"]?.value).toBe("node1id");
    expect(up.outputs["manager"]).toMatchObject({
      value: { hostKey: droplet.permanent.public },
      secret: false,
    });
    expect(stateFile("node")).not.toContain("PRIVATE KEY");
    await stack.preview({ expectNoChanges: true });

    labels = { zone: "b" };
    const preview = await stack.preview();
    expect(preview.changeSummary).toEqual({ same: 2, update: 1 });
    await stack.up();
    expect(droplet.ownLabels).toEqual({ zone: "b" });

    droplet.labels = { ...droplet.labels, zone: "c" };
    expect((await stack.refresh()).summary.resourceChanges).toMatchObject({ update: 1 });
    expect((await stack.up()).summary.resourceChanges).toMatchObject({ update: 1 });

    // Its only node, so that the swarm has ended with it.
    droplet.nodeId = "";
    expect((await stack.refresh()).summary.resourceChanges).toMatchObject({ delete: 2 });
    expect((await stack.up()).summary.resourceChanges).toMatchObject({ create: 2 });

    await stack.destroy();
    expect(droplet.nodeId).toBe("");
  });
});

test("a swarm that no state knows any more is imported, and the next up replaces nothing", async () => {
  const program = () => {
    const cluster = new swarm.Cluster("swarm", droplet.clusterInputs);
    const { id, signingKey, tag } = cluster;
    const inputs = { ...droplet.nodeInputs, cluster: id, clusterKey: signingKey, tag };
    const parent = new pulumi.ComponentResource("archipelago:node:Node", "node-1");
    return Promise.resolve({ nodeId: new swarm.Node("node-1", inputs, { parent }).nodeId });
  };
  await (await stackOf(program, "lost")).up();
  droplet.node.dockerCalls.length = 0;
  const stack = await stackOf(program, "found");
  const manager = `127.0.0.1:${droplet.node.port}#${fingerprint(parsePublicKey(droplet.permanent.public))}`;
  await stack.import({
    generateCode: false,
    protect: false,
    resources: [
      { type: "swarm:index:Cluster", name: "swarm", id: manager },
      { type: "archipelago:node:Node", name: "node-1", component: true },
      {
        type: "swarm:index:Node",
        name: "node-1-member",
        logicalName: "node-1",
        parent: "node-1",
        id: `${manager}/node-1`,
      },
    ],
  });
  expect(stateFile("found")).not.toContain("PRIVATE KEY");
  expect((await stack.preview()).changeSummary).toEqual({ same: 2, update: 2 });
  await stack.up();
  await stack.preview({ expectNoChanges: true });
  await stack.refresh({ expectNoChanges: true });
  expect(droplet.node.dockerCalls).not.toContain("POST /swarm/init");
});

test("wrong inputs are all told in the preview, before anything is made", async () => {
  const program = () => {
    new swarm.Node("node-1", {
      ...droplet.nodeInputs,
      cluster: "shop-1",
      clusterKey: "a key",
      role: "king",
      privateIp: "10.0.0",
      port: 0,
    });
    return Promise.resolve({});
  };
  const stack = await stackOf(program, "wrong");
  const events: EngineEvent[] = [];
  const preview = stack.preview({ onEvent: (event) => void events.push(event) });
  await expect(preview).rejects.toThrow();
  const told = messages(events);
  expect(told).toContain('role must be "manager" or "worker", got "king"');
  expect(told).toContain("privateIp must be an IPv4 address such as 10.0.0.4");
  expect(told).toContain("port must be a whole number from 1 to 65535, got 0");
});

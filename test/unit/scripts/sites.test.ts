/** What operators see of a stack with a second site, whose managers may be away. */
import { logs, status } from "../../../scripts/operator";
import { FakeNode } from "../swarm/support/fake-node";
import { generateKeyPair } from "../../../providers/swarm/ssh/key-pair";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

let stackOutputs: object;
jest.mock("../../../scripts/stack-pulumi", () => ({
  pulumiOn: (stack: string) =>
    Promise.resolve({
      stack,
      isLocal: true,
      run: () => Promise.resolve({ code: 0, stdout: JSON.stringify(stackOutputs), stderr: "" }),
    }),
}));

const operator = generateKeyPair();
const host = generateKeyPair();
const keyFile = path.join(fs.mkdtempSync(path.join(tmpdir(), "archipelago-sites-")), "key");
const keyBefore = process.env["ARCHIPELAGO_SSH_KEY"];
let nodes: FakeNode[];
let printed: string;
let warned: string;

/** A manager of a swarm of its own with one service, whose only log line says where it runs. */
async function manager(says: string) {
  const node = await FakeNode.start({
    hostKey: host.private,
    authorized: [operator.public],
    run: () => ({}),
  });
  node.docker = (request) => {
    const line = Buffer.from(`${says}\n`);
    const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, line.length]);
    const task = { ServiceStatus: { RunningTasks: 1, DesiredTasks: 1 } };
    const answers: Record<string, unknown> = {
      "GET /_ping": "OK",
      "GET /nodes": [{ ID: "n", Description: { Hostname: says }, Status: { State: "ready" } }],
      "GET /services": [{ ID: "web-id", Spec: { Name: "web" }, ...task }],
      "GET /tasks": [],
      "GET /services/web-id/logs": Buffer.concat([header, line]).toString("latin1"),
    };
    return { body: answers[request] ?? "" };
  };
  nodes.push(node);
  return {
    name: "manager-1",
    role: "manager",
    privateIp: "10.20.0.2",
    size: "small",
    connection: { host: "127.0.0.1", port: node.port, hostKey: host.public },
  };
}

beforeAll(() => fs.writeFileSync(keyFile, operator.private, { mode: 0o600 }));
beforeEach(async () => {
  process.env["ARCHIPELAGO_SSH_KEY"] = keyFile;
  nodes = [];
  printed = warned = "";
  jest.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  jest.spyOn(process.stderr, "write").mockImplementation((text) => {
    warned += String(text);
    return true;
  });
  stackOutputs = {
    nodes: [await manager("first")],
    services: { web: { image: "web", replicas: 1 } },
    secondSite: { nodes: [await manager("elsewhere")] },
  };
});

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(nodes.map((node) => node.stop()));
  if (keyBefore === undefined) delete process.env["ARCHIPELAGO_SSH_KEY"];
  else process.env["ARCHIPELAGO_SSH_KEY"] = keyBefore;
});

test("status tells of both sites", async () => {
  await status("shop", [], { json: true });
  expect(JSON.parse(printed)).toMatchObject({
    stack: "shop",
    nodes: [{ name: "first" }],
    secondSite: { stack: "shop, second site", nodes: [{ name: "elsewhere" }] },
  });
});

test("status tells of the site that is left when the other one's managers are away, and fails", async () => {
  await nodes[0]?.stop();
  nodes = nodes.slice(1);
  expect(await status("shop", [], { json: true })).toBe(1);
  expect(JSON.parse(printed)).toMatchObject({
    stack: "shop",
    problem: expect.stringContaining("No manager of shop answers") as string,
    secondSite: { nodes: [{ name: "elsewhere" }] },
  });
});

test("logs come from both sites, told apart, and from one when the other does not answer", async () => {
  expect(await logs("shop", [], {})).toBe(0);
  const lines = printed.trim().split("\n").sort();
  expect(lines).toEqual([
    expect.stringMatching(/second-web \| .*elsewhere/),
    expect.stringMatching(/web \| .*first/),
  ]);
  await nodes[1]?.stop();
  nodes = nodes.slice(0, 1);
  printed = "";
  expect(await logs("shop", ["web"], {})).toBe(0);
  expect(printed.trim().split("\n")).toEqual([expect.stringMatching(/^\S*web \| .*first/)]);
  expect(warned).toContain("No manager of shop, second site answers");
});

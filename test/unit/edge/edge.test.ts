import * as pulumi from "@pulumi/pulumi";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { Edge, type EdgeArgs, edgeSettings } from "../../../components/edge/edge";
import { drainCommand } from "../../../components/edge/proxy-script";
import { agentBundle } from "../../../components/edge/bundle";

type Inputs = Record<string, unknown>;
const made: MockResourceArgs[] = [];

const inputsOf = (name: string): Inputs => {
  const found = made.find((one) => one.name === name);
  if (!found) throw new Error(`no resource ${name}`);
  return found.inputs as Inputs;
};

async function declare(args: Partial<EdgeArgs> = {}): Promise<Edge> {
  made.length = 0;
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      made.push(args);
      // Docker gives other contents another ID.
      const contents = JSON.stringify((args.inputs as Inputs).data ?? "");
      const digest = createHash("sha256").update(contents).digest("hex").slice(0, 8);
      return { id: `${args.name}-${digest}`, state: args.inputs as Inputs };
    },
    call: () => ({}),
  });
  const edge = new Edge("edge", {
    haproxyImage: "haproxy:3.2-alpine",
    nodeImage: "node:22-alpine",
    networkId: "net-1",
    routes: [{ service: "web", port: 3000 }],
    ...args,
  });
  const ids = pulumi.all([edge.proxy.id, edge.agent.id]);
  await new Promise<void>((resolve) => {
    ids.apply(() => resolve());
  });
  return edge;
}

describe("Edge", () => {
  it("makes two configs and two services, and a secret only for a webhook", async () => {
    await declare();
    expect(made.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "archipelago:components:Edge edge",
      "docker:index/service:Service edge-agent",
      "docker:index/service:Service edge-proxy",
      "docker:index/serviceConfig:ServiceConfig edge-agent-code",
      "docker:index/serviceConfig:ServiceConfig edge-settings",
    ]);
    await declare({ alarm: { webhook: "https://hooks.example.org/x" } });
    expect(made.map(({ name }) => name)).toContain("edge-alarm-webhook");
    expect(JSON.stringify(inputsOf("edge-agent"))).not.toContain("hooks.example.org");
  });

  it("publishes 80 and 443 on the host, without virtual IPs, one node at a time", async () => {
    await declare();
    expect(inputsOf("edge-proxy")).toMatchObject({
      name: "edge",
      mode: { global: true },
      updateConfig: {
        order: "stop-first",
        parallelism: 1,
        delay: "0s",
        failureAction: "rollback",
      },
      endpointSpec: {
        mode: "dnsrr",
        ports: [
          { publishedPort: 80, targetPort: 8080, publishMode: "host" },
          { publishedPort: 443, targetPort: 8443, publishMode: "host" },
        ],
      },
      taskSpec: { containerSpec: { user: "65532:65532", stopGracePeriod: "1m" } },
    });
    expect(inputsOf("edge-proxy").labels).toBeUndefined();
  });

  it("behind a Load Balancer gets no certificate, and gives notice before it stops", async () => {
    const edge = await declare({
      domain: "example.org",
      front: { range: "10.64.0.0/20", noticeSeconds: 8 },
      acme: { certificates: "none" },
      constraints: ["node.labels.ingress==true"],
      deny: ["203.0.113.7"],
    });
    expect(edge.names).toEqual([]);
    const settings = String(inputsOf("edge-settings").data);
    expect(JSON.parse(Buffer.from(settings, "base64").toString())).toMatchObject({
      domain: "example.org",
      front: { range: "10.64.0.0/20" },
      deny: ["203.0.113.7"],
      names: [],
    });
    expect(inputsOf("edge-proxy")).toMatchObject({
      labels: [
        { label: "archipelago.drain", value: JSON.stringify(drainCommand("/run/edge")) },
        { label: "archipelago.drain-seconds", value: "8" },
      ],
      updateConfig: { delay: "8s" },
      taskSpec: {
        placement: { constraints: ["node.labels.ingress==true"] },
        containerSpec: { stopGracePeriod: "1m8s" },
      },
    });
  });

  it("goes on with the certificates of before, and asks for no other, while old visitors still come", async () => {
    const edge = await declare({ domain: "example.org", acme: { certificates: "kept" } });
    expect(edge.names).toEqual(["example.org"]);
    const settings = String(inputsOf("edge-settings").data);
    expect(JSON.parse(Buffer.from(settings, "base64").toString())).toMatchObject({
      names: ["example.org"],
      acme: { paused: true },
    });
  });

  it("lets a rollout wait for the agent's new task when only the routes change", async () => {
    const versions = async (args: Partial<EdgeArgs>) => {
      const targets = (await declare(args)).targets.map(({ version }) => version);
      return new Promise<string[]>((resolve) => void pulumi.all(targets).apply(resolve));
    };
    const [agent, proxy] = await versions({});
    const [otherAgent, sameProxy] = await versions({ routes: [{ service: "shop", port: 80 }] });
    expect(otherAgent).not.toBe(agent);
    expect(sameProxy).toBe(proxy);
  });

  it("leaves HAProxy's task alone when routes, limits, the deny list or the domain change", async () => {
    await declare();
    const before = JSON.stringify(inputsOf("edge-proxy"));
    const settings = inputsOf("edge-settings").data;
    await declare({
      domain: "example.org",
      routes: [{ service: "shop", port: 80, rateLimit: { requests: 5, seconds: 1 } }],
      deny: ["203.0.113.7"],
    });
    expect(JSON.stringify(inputsOf("edge-proxy"))).toBe(before);
    expect(inputsOf("edge-settings").data).not.toBe(settings);
  });

  it("asks for a certificate for the domain, from Let's Encrypt unless told otherwise", () => {
    const routes = [{ service: "web", port: 3000 }];
    expect(edgeSettings({ routes, domain: "example.org" })).toMatchObject({
      names: ["example.org"],
      acme: { directoryUrl: "https://acme-v02.api.letsencrypt.org/directory" },
    });
    expect(() => edgeSettings({ routes: [{ service: "web", port: 0 }] })).toThrow(
      "routes[0].port must be 1 to 65535, got 0",
    );
  });

  it("ships an agent that fits a swarm config and holds no path of this machine", () => {
    const bundle = agentBundle();
    expect(bundle.length).toBeLessThan(500 * 1024);
    expect(gunzipSync(bundle).toString()).not.toContain(process.cwd());
  });
});

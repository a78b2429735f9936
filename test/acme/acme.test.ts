import { gunzipSync } from "node:zlib";
import type { AgentStatus } from "../../components/edge/agent/agent";
import { agentBundle } from "../../components/edge/bundle";
import { EdgeSandbox, Running, describeWith, eventually, httpServer, loopbackDns } from "./harness";
import { Pebble } from "./pebble";
import { servedCertificate, visit, type Place } from "./visitor";

const NAME = "app.example.org";
/** Pebble's certificates live this long here; two thirds of it is when the agent renews. */
const LIFETIME_SECONDS = 18;

describeWith(["haproxy", "pebble", "openssl"], "HTTPS from a domain alone", () => {
  let sandbox: EdgeSandbox;
  let pebble: Pebble;
  let agent: Running;
  let webhookBodies: { severity: string; text: string }[];

  const at = (port: number): Place => ({ name: NAME, address: "127.0.0.1", port });
  const status = async () =>
    JSON.parse(
      (await visit(at(sandbox.settings.listen.agent), { path: "/status" })).body,
    ) as AgentStatus;
  const healthz = async () =>
    (await visit(at(sandbox.settings.listen.agent), { path: "/healthz" })).status;

  beforeAll(async () => {
    const dns = await loopbackDns();
    const app = await httpServer((incoming, response) => {
      response.end(`hello over ${String(incoming.headers["x-forwarded-proto"])}`);
    });
    webhookBodies = [];
    const webhook = await httpServer((incoming, response) => {
      let body = "";
      incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
      incoming.once("end", () => {
        webhookBodies.push(JSON.parse(body) as { severity: string; text: string });
        response.end();
      });
    });
    sandbox = await EdgeSandbox.create(dns.address, [{ service: "web", port: app.port }], {
      names: [NAME],
    });
    for (const { server } of [app, webhook]) {
      sandbox.onClose(() => {
        server.close();
        server.closeAllConnections();
      });
    }
    sandbox.onClose(() => dns.close());
    pebble = await Pebble.start({
      dir: sandbox.dir,
      address: "127.0.0.1",
      challengePorts: sandbox.settings.listen,
      dns: dns.address,
      lifetimeSeconds: LIFETIME_SECONDS,
    });
    sandbox.onClose(() => pebble.stop());
    const settings = {
      ...sandbox.settings,
      acme: {
        directoryUrl: `https://127.0.0.1:${pebble.port}/dir`,
        email: "ops@example.org",
        caPem: pebble.caPem,
      },
    };
    sandbox.startHaproxy();
    // The file that the program ships, run as the container runs it.
    agent = new Running(
      process.execPath,
      [sandbox.write("edge-agent.cjs", gunzipSync(agentBundle()))],
      {
        NODE_NAME: "node-1",
        EDGE_SETTINGS: sandbox.write("edge.json", JSON.stringify(settings)),
        EDGE_ALARM_WEBHOOK_FILE: sandbox.write("webhook", `http://127.0.0.1:${webhook.port}/\n`),
      },
    );
    sandbox.onClose(() => agent.stop());
  }, 60_000);

  afterAll(async () => {
    await sandbox?.close();
  });

  it("answers HTTPS with a certificate of the ACME server, and redirects to it only then", async () => {
    const { http, https } = sandbox.settings.listen;
    const root = await eventually(30, async () => {
      const issuer = await pebble.rootPem();
      const answer = await visit(at(https), { ca: issuer });
      expect(answer).toMatchObject({ status: 200, body: "hello over https" });
      return issuer;
    });
    expect(root).toContain("BEGIN CERTIFICATE");
    const redirect = await visit(at(http), { path: "/page" });
    expect(redirect).toMatchObject({ status: 308, location: `https://${NAME}/page` });
    expect(await visit(at(http), { host: "127.0.0.1" })).toMatchObject({ body: "hello over http" });
    expect(await healthz()).toBe(200);
    expect(await status()).toMatchObject({
      node: "node-1",
      proxy: { applied: true },
      certificates: [{ name: NAME, issued: true, failures: 0 }],
      alarms: [],
    });
  }, 60_000);

  it("renews by itself before the certificate ends", async () => {
    const { https } = sandbox.settings.listen;
    const first = await servedCertificate(at(https));
    const second = await eventually(LIFETIME_SECONDS + 20, async () => {
      const certificate = await servedCertificate(at(https));
      expect(certificate.serialNumber).not.toBe(first.serialNumber);
      return certificate;
    });
    expect(Date.parse(second.validFrom)).toBeLessThan(Date.parse(first.validTo));
    expect(agent.output).toContain('"event":"certificate.renewed"');
  }, 60_000);

  it("raises the alarm when a renewal fails, and keeps serving the old certificate", async () => {
    const { https } = sandbox.settings.listen;
    await pebble.stop();
    const held = await servedCertificate(at(https));
    await eventually(LIFETIME_SECONDS + 20, async () => expect(await healthz()).toBe(503));
    const { alarms, certificates } = await status();
    expect(alarms).toEqual([
      expect.objectContaining({
        name: NAME,
        message: expect.stringContaining("cannot be reached") as string,
      }),
    ]);
    expect(certificates).toEqual([expect.objectContaining({ issued: true, failures: 1 })]);
    expect(agent.output).toContain('"event":"certificate.alarm"');
    await eventually(10, () =>
      expect(webhookBodies).toEqual([
        expect.objectContaining({ text: expect.stringContaining(NAME) as string }),
      ]),
    );
    expect((await servedCertificate(at(https))).serialNumber).toBe(held.serialNumber);
    const [{ nextAttempt } = { nextAttempt: "" }] = certificates;
    expect(Date.parse(nextAttempt)).toBeGreaterThan(Date.now());
  }, 60_000);
});

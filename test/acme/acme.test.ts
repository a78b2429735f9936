import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { connect } from "node:tls";
import { gunzipSync } from "node:zlib";
import type { AgentStatus } from "../../components/edge/agent/agent";
import { agentBundle } from "../../components/edge/bundle";
import {
  EdgeSandbox,
  Running,
  describeWith,
  eventually,
  freePorts,
  httpServer,
  loopbackDns,
} from "./harness";

const NAME = "app.example.org";
/** Pebble's certificates live this long here; two thirds of it is when the agent renews. */
const LIFETIME_SECONDS = 18;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

function fetchVia(
  port: number,
  options: {
    readonly tls?: { readonly ca: string };
    readonly path?: string;
    readonly host?: string;
  },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const common = {
      host: "127.0.0.1",
      port,
      path: options.path ?? "/",
      headers: { host: options.host ?? NAME },
      agent: false as const,
    };
    const outgoing = options.tls
      ? httpsGet({ ...common, servername: NAME, ca: options.tls.ca })
      : httpGet(common);
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, body, location: response.headers.location }),
      );
    });
  });
}

/** The certificate that is served for the name, whoever signed it. */
function servedCertificate(port: number): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port, servername: NAME, rejectUnauthorized: false },
      () => {
        const certificate = socket.getPeerX509Certificate();
        socket.destroy();
        if (certificate) resolve(certificate);
        else reject(new Error("no certificate was presented"));
      },
    );
    socket.once("error", reject);
  });
}

describeWith(["haproxy", "pebble", "openssl"], "HTTPS from a domain alone", () => {
  let sandbox: EdgeSandbox;
  let pebble: Running;
  let agent: Running;
  let managementUrl: string;
  let webhookBodies: { severity: string; text: string }[];

  const status = async () =>
    JSON.parse(
      (await fetchVia(sandbox.settings.listen.agent, { path: "/status" })).body,
    ) as AgentStatus;
  const healthz = async () =>
    (await fetchVia(sandbox.settings.listen.agent, { path: "/healthz" })).status;

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
    const [acmePort = 0, managementPort = 0] = await freePorts(2);
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
    const key = sandbox.write("pebble.key", "");
    const certificate = sandbox.write("pebble.pem", "");
    const made = spawnSync(
      "openssl",
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=pebble"
        .split(" ")
        .concat("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
    );
    expect(made.status).toBe(0);
    const pebbleConfig = sandbox.write(
      "pebble.json",
      JSON.stringify({
        pebble: {
          listenAddress: `127.0.0.1:${acmePort}`,
          managementListenAddress: `127.0.0.1:${managementPort}`,
          certificate,
          privateKey: key,
          httpPort: sandbox.settings.listen.http,
          tlsPort: sandbox.settings.listen.https,
          certificateValidityPeriod: LIFETIME_SECONDS,
        },
      }),
    );
    pebble = new Running("pebble", ["-config", pebbleConfig, "-dnsserver", dns.address], {
      PEBBLE_VA_NOSLEEP: "1",
    });
    sandbox.onClose(() => pebble.stop());
    managementUrl = `https://127.0.0.1:${managementPort}`;
    const caPem = readFileSync(certificate, "utf8");
    const settings = {
      ...sandbox.settings,
      acme: {
        directoryUrl: `https://127.0.0.1:${acmePort}/dir`,
        email: "ops@example.org",
        caPem,
      },
    };
    await eventually(20, () => fetchOver(`${managementUrl}/roots/0`, caPem));
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
      const caPem = readFileSync(`${sandbox.dir}/pebble.pem`, "utf8");
      const issuer = await fetchOver(`${managementUrl}/roots/0`, caPem);
      const answer = await fetchVia(https, { tls: { ca: issuer } });
      expect(answer).toMatchObject({ status: 200, body: "hello over https" });
      return issuer;
    });
    expect(root).toContain("BEGIN CERTIFICATE");
    const redirect = await fetchVia(http, { path: "/page" });
    expect(redirect).toMatchObject({ status: 308, location: `https://${NAME}/page` });
    expect(await fetchVia(http, { host: "127.0.0.1" })).toMatchObject({ body: "hello over http" });
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
    const first = await servedCertificate(https);
    const second = await eventually(LIFETIME_SECONDS + 20, async () => {
      const certificate = await servedCertificate(https);
      expect(certificate.serialNumber).not.toBe(first.serialNumber);
      return certificate;
    });
    expect(Date.parse(second.validFrom)).toBeLessThan(Date.parse(first.validTo));
    expect(agent.output).toContain('"event":"certificate.renewed"');
  }, 60_000);

  it("raises the alarm when a renewal fails, and keeps serving the old certificate", async () => {
    const { https } = sandbox.settings.listen;
    await pebble.stop();
    const held = await servedCertificate(https);
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
    expect((await servedCertificate(https)).serialNumber).toBe(held.serialNumber);
    const [{ nextAttempt } = { nextAttempt: "" }] = certificates;
    expect(Date.parse(nextAttempt)).toBeGreaterThan(Date.now());
  }, 60_000);
});

function fetchOver(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsGet(url, { ca, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.once("end", () => resolve(body));
    });
    outgoing.once("error", reject);
  });
}

import { Agent, request } from "node:http";
import { join } from "node:path";
import {
  placeholderPem,
  publishCertificates,
  readCertificate,
} from "../../components/edge/agent/certificates";
import { MasterSocket } from "../../components/edge/agent/haproxy";
import { Proxy } from "../../components/edge/agent/proxy";
import { EdgeSandbox, Running, describeWith, eventually, httpServer, loopbackDns } from "./harness";

const RELOADS = 20;
const STARTS = 100;
const REQUEST_LIMIT = 20_000;

function get(port: number, agent: Agent | undefined, method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, path: "/", method, agent: agent ?? false },
      (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", reject);
      },
    );
    outgoing.once("error", reject);
    outgoing.end(method === "POST" ? "body" : undefined);
  });
}

const certificate = async (name: string) =>
  readCertificate(name, await placeholderPem(name), false);

describeWith(["haproxy"], "a reload of the edge", () => {
  let sandbox: EdgeSandbox;
  let proxy: Proxy;

  beforeEach(async () => {
    const dns = await loopbackDns();
    const app = await httpServer((incoming, response) => {
      incoming.resume();
      response.end("hello");
    });
    sandbox = await EdgeSandbox.create(dns.address, [{ service: "web", port: app.port }]);
    sandbox.onClose(() => dns.close());
    sandbox.onClose(() => {
      app.server.close();
      app.server.closeAllConnections();
    });
    const control = new MasterSocket(join(sandbox.settings.runDir, "master.sock"));
    proxy = new Proxy(sandbox.settings, control, () => undefined);
    const haproxy = sandbox.startHaproxy();
    await eventually(15, async () => {
      await proxy.apply([await certificate("app.example.org")]);
      const { applied } = proxy.current;
      expect({ applied, output: applied ? "" : haproxy.output }).toEqual({
        applied: true,
        output: "",
      });
      expect(await get(sandbox.settings.listen.http, undefined)).toBe(200);
    });
  });

  afterEach(() => sandbox.close());

  it(`drops no request while certificates change ${RELOADS} times`, async () => {
    const { http } = sandbox.settings.listen;
    const answers: Record<string, number> = {};
    let reloading = true;
    const client = async (agent: Agent | undefined, method: string) => {
      for (let sent = 0; reloading && sent < REQUEST_LIMIT; sent++) {
        const answer = await get(http, agent, method).catch((error: Error) => error.message);
        answers[answer] = (answers[answer] ?? 0) + 1;
      }
    };
    const keepAlive = new Agent({ keepAlive: true, maxSockets: 2 });
    const clients = [
      client(undefined, "GET"),
      client(undefined, "POST"),
      client(keepAlive, "GET"),
      client(keepAlive, "POST"),
    ];
    const before = proxy.current.reloads;
    for (let reload = 0; reload < RELOADS; reload++) {
      await proxy.apply([await certificate("app.example.org")]);
      expect(proxy.current).toMatchObject({ applied: true, error: undefined });
    }
    reloading = false;
    await Promise.all(clients);
    keepAlive.destroy();
    expect(proxy.current.reloads - before).toBe(RELOADS);
    expect(Object.keys(answers)).toEqual(["200"]);
    expect(answers["200"]).toBeGreaterThan(RELOADS);
  }, 120_000);

  it(`starts ${STARTS} times while certificates are published`, async () => {
    const { runDir } = sandbox.settings;
    const published = [await certificate("app.example.org")];
    for (let start = 0; start < STARTS; start++) {
      const check = new Running("haproxy", ["-c", "-f", join(runDir, "haproxy.cfg")]);
      while (check.exitCode === null) {
        publishCertificates(runDir, published);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await check.stop();
      expect(check.exitCode === 0 ? "" : check.output).toBe("");
    }
  }, 240_000);

  it("with a configuration that HAProxy refuses keeps serving and goes back to the last good one", async () => {
    const { settings } = sandbox;
    const control = new MasterSocket(join(settings.runDir, "master.sock"));
    const events: string[] = [];
    const broken = new Proxy(
      { ...settings, routes: [{ service: "web", port: 80, health: { path: "/ with space" } }] },
      control,
      (_severity, event) => events.push(event),
    );
    await broken.apply([]);
    expect(broken.current).toMatchObject({ applied: false, refused: true });
    expect(events).toEqual(["proxy.refused"]);
    expect(await get(settings.listen.http, undefined)).toBe(200);
    await proxy.apply([await certificate("app.example.org")]);
    expect(proxy.current).toMatchObject({ applied: true });
  }, 60_000);
});

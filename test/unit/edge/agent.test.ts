import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IssueError } from "../../../components/edge/agent/acme";
import { Agent } from "../../../components/edge/agent/agent";
import { Alarms } from "../../../components/edge/agent/alarm";
import { placeholderPem } from "../../../components/edge/agent/certificates";
import { Proxy } from "../../../components/edge/agent/proxy";
import { EDGE_DEFAULTS, LETS_ENCRYPT } from "../../../components/edge/settings";

const NAME = "app.example.org";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** An agent on a directory of its own, with HAProxy, the ACME server and the clock played by the test. */
function stage(dir: string) {
  const world = {
    now: Date.now(),
    haproxyAlive: true,
    reloadAccepted: true,
    reloads: 0,
    issue: () => placeholderPem(NAME),
    asked: 0,
    events: [] as string[],
    sent: [] as string[],
  };
  const settings = {
    ...EDGE_DEFAULTS,
    acme: { directoryUrl: LETS_ENCRYPT },
    names: [NAME],
    routes: [{ service: "web", port: 3000 }],
    runDir: join(dir, "run"),
    dataDir: join(dir, "data"),
  };
  const log = (_severity: string, event: string) => void world.events.push(event);
  const now = () => world.now;
  const haproxy = {
    alive: () => Promise.resolve(world.haproxyAlive),
    serversState: () => Promise.resolve("1\n# be_id\n"),
    reload: () => {
      world.reloads += 1;
      return Promise.resolve({ ok: world.reloadAccepted, detail: "line 3: nonsense" });
    },
  };
  const agent = () =>
    new Agent({
      settings,
      log,
      now,
      random: () => 0,
      proxy: new Proxy(settings, haproxy, log),
      alarms: new Alarms(log, now, (body) => {
        world.sent.push(String(body.text));
        return Promise.resolve();
      }),
      issuer: {
        issue: () => {
          world.asked += 1;
          return world.issue();
        },
      },
    });
  return { world, agent, settings };
}

const refuse =
  (retryAfter = 0) =>
  () =>
    Promise.reject(new IssueError("rate limited", retryAfter));

describe("edge-agent", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "edge-agent-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("gets a certificate, and asks for no other while it is fresh", async () => {
    const { world, agent } = stage(dir);
    const first = agent();
    await first.tick();
    await first.tick();
    await agent().tick();
    expect(world.asked).toBe(1);
    expect(first.status()).toMatchObject({
      proxy: { applied: true, error: undefined },
      certificates: [{ name: NAME, issued: true, failures: 0 }],
      alarms: [],
    });
  });

  it("does not burn an attempt before HAProxy can answer the challenge", async () => {
    const { world, agent } = stage(dir);
    world.haproxyAlive = false;
    const one = agent();
    await one.tick();
    expect(world.asked).toBe(0);
    expect(one.status().proxy.error).toBe("waiting for HAProxy to start");
  });

  it("never hammers the ACME server, not even when it is restarted", async () => {
    const { world, agent } = stage(dir);
    world.issue = refuse();
    for (let minute = 0; minute < 60; minute++) {
      await agent().tick();
      world.now += 60_000;
    }
    expect(world.asked).toBe(5);
  });

  it("leaves a server alone for as long as it says", async () => {
    const { world, agent } = stage(dir);
    world.issue = refuse(3 * DAY);
    await agent().tick();
    world.now += 3 * DAY - 1;
    await agent().tick();
    expect(world.asked).toBe(1);
    world.now += 1;
    await agent().tick();
    expect(world.asked).toBe(2);
  });

  it("on a failed renewal keeps the certificate, raises the alarm, and clears it when renewed", async () => {
    const { world, agent, settings } = stage(dir);
    const one = agent();
    await one.tick();
    const path = join(settings.runDir, "certs", `${NAME}.pem`);
    const served = readFileSync(path, "utf8");
    world.now += 8 * 365 * DAY;
    world.issue = refuse();
    await one.tick();
    expect(readFileSync(path, "utf8")).toBe(served);
    expect(one.status().alarms).toMatchObject([{ name: NAME, severity: "warning" }]);
    expect(world.events).toContain("certificate.alarm");
    expect(world.sent).toHaveLength(1);
    expect(world.sent[0]).toMatch(/^warning: the certificate for app.example.org was not renewed/);
    world.now += DAY;
    world.issue = () => placeholderPem(NAME);
    await one.tick();
    expect(one.status().alarms).toEqual([]);
    expect(world.sent[1]).toBe("resolved: the certificate for app.example.org is in order again");
  });

  it("keeps nothing that is no certificate for the name", async () => {
    const { world, agent } = stage(dir);
    world.issue = () => placeholderPem("other.example.org");
    const one = agent();
    await one.tick();
    expect(one.status()).toMatchObject({
      certificates: [{ issued: false, failures: 1 }],
      proxy: { applied: true },
    });
  });

  it("puts the last good configuration back when HAProxy refuses a new one, and says why", async () => {
    const { world, agent, settings } = stage(dir);
    await agent().tick();
    const config = join(settings.runDir, "haproxy.cfg");
    const good = readFileSync(config, "utf8");
    world.reloadAccepted = false;
    world.now += 8 * 365 * DAY;
    const one = agent();
    await one.tick();
    expect(readFileSync(config, "utf8")).toBe(good);
    expect(one.status().proxy).toMatchObject({
      applied: false,
      refused: true,
      error: "line 3: nonsense",
    });
  });

  it("does not reload HAProxy when nothing changed", async () => {
    const { world, agent } = stage(dir);
    const one = agent();
    await one.tick();
    const { reloads } = world;
    await one.tick();
    await agent().tick();
    expect(world.reloads).toBe(reloads);
  });
});

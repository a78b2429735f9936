// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Answer } from "../../unit/api/harness";
import { built, notBuilt } from "./built";
import { describeAnswers } from "./caller";

describeAnswers((caller) => {
  const { call, faults } = caller;
  let site: Server;
  let status = 200;

  beforeAll(async () => {
    site = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => void site.close());

  const alerts = { email: ["ops@example.com"], slack: [] };

  it("of alert policies", async () => {
    const path = "/v2/monitoring/alerts";
    const wanted = {
      type: "v1/insights/droplet/cpu",
      description: "a node's CPU is taken",
      compare: "GreaterThan",
      value: 90,
      window: "10m",
      enabled: true,
      entities: [],
      tags: ["nodes"],
      alerts,
    };
    for (const wrong of [
      { type: "v1/insights/droplet/gpu" },
      { window: "7m" },
      { compare: "Equal" },
      { alerts: { email: [], slack: [] } },
    ])
      await call("POST", path, 422, { ...wanted, ...wrong });
    const { policy } = await call("POST", path, 200, wanted);
    await call("GET", path, 200);
    const one = `${path}/${policy.uuid}`;
    const { policy: changed } = await call("PUT", one, 200, {
      ...wanted,
      type: "v1/dbaas/alerts/disk_utilization_alerts",
      value: 80.1,
      enabled: false,
    });
    expect(changed).toMatchObject({ enabled: false, value: Math.fround(80.1) });
    expect((await call("GET", one, 200)).policy).toEqual(changed);
    await call("DELETE", one, 204);
    await call("GET", one, 404);
    expect(faults).toEqual([]);
  });

  it("of uptime checks and their alerts, looking at what is on this machine only", async () => {
    const path = "/v2/uptime/checks";
    await caller.test.post("/v2/domains", { name: "site.example", ip_address: "127.0.0.1" });
    const target = `http://site.example:${(site.address() as AddressInfo).port}/`;
    const wanted = { name: "site", type: "http", target, regions: ["us_east", "eu_west"] };
    await call("POST", path, 422, { ...wanted, type: "gopher" });
    await call("POST", path, 422, { ...wanted, target: "" });
    const { check } = await call("POST", path, 201, wanted);
    await call("GET", path, 200);
    const one = `${path}/${check.id}`;
    await call("GET", one, 200);
    const look = async (): Promise<Answer["body"]> =>
      (await call("GET", `${one}/state`, 200)).state;
    expect((await look()).regions.eu_west.status).toBe("UP");
    status = 503;
    expect((await look()).regions.eu_west.status).toBe("DOWN");
    status = 200;
    const { regions, previous_outage: outage } = await look();
    expect(regions.us_east.status).toBe("UP");
    expect(outage).toMatchObject({ region: "us_east", duration_seconds: expect.any(Number) });
    const elsewhere = { ...wanted, target: "https://www.example.com/", type: "https" };
    const { check: away } = await call("POST", path, 201, elsewhere);
    const { state } = await call("GET", `${path}/${away.id}/state`, 200);
    expect(state.regions.us_east.status).toBe("CHECKING");
    expect((await call("PUT", one, 200, { ...wanted, enabled: false })).check.enabled).toBe(false);

    const down = { name: "down", type: "down_global", period: "2m", notifications: alerts };
    await call("POST", `${one}/alerts`, 422, { ...down, type: "latency" });
    const { alert } = await call("POST", `${one}/alerts`, 201, down);
    await call("GET", `${one}/alerts`, 200);
    await call("GET", `${one}/alerts/${alert.id}`, 200);
    const { alert: latency } = await call("PUT", `${one}/alerts/${alert.id}`, 200, {
      ...down,
      type: "latency",
      threshold: 300,
      comparison: "greater_than",
    });
    expect(latency.threshold).toBe(300);
    await call("DELETE", `${one}/alerts/${alert.id}`, 204);
    await call("GET", `${one}/alerts/${alert.id}`, 404);
    await call("DELETE", one, 204);
    await call("GET", `${one}/alerts`, 404);
    expect(faults).toEqual([]);
  });

  it("of every operation on alert policies and uptime checks", () => {
    expect(caller.missing(built.watching, notBuilt)).toEqual([]);
  });
});

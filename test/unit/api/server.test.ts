// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument */
import { RateLimiter } from "../../../local/api/rate-limit";
import { TestApi, token } from "./harness";

describe("who may ask", () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await TestApi.start();
  });
  afterAll(() => test.stop());

  it.each(["", "Bearer wrong", "Bearer ", `Basic ${token}`, token])(
    "a wrong token is refused as DigitalOcean does (%p)",
    async (authorization) => {
      const { status, body } = await test.call("GET", "/v2/droplets", undefined, { authorization });
      expect(status).toBe(401);
      expect(body).toMatchObject({ id: "Unauthorized", message: "Unable to authenticate you" });
    },
  );

  it("the operator's own paths are closed to strangers, too", async () => {
    const answer = await test.call("GET", "/_local/state", undefined, { authorization: "" });
    expect(answer.status).toBe(401);
  });

  it("anybody may ask for their own address, as sshFrom: me does", async () => {
    const answer = await test.call("GET", "/my-ip", undefined, { authorization: "" });
    expect([answer.status, answer.body]).toEqual([200, "127.0.0.1\n"]);
  });

  it("a body that is no JSON is a 400, not a crash", async () => {
    const response = await fetch(`${test.api.url}/v2/tags`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{",
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ id: "bad_request" });
  });
});

describe("lists come in pages that clients can follow", () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await TestApi.start();
    for (let i = 0; i < 45; i++) await test.post("/v2/tags", { name: `t${100 + i}` });
  });
  afterAll(() => test.stop());

  it("20 a page, with links to the next and last one", async () => {
    const { body } = await test.get("/v2/tags");
    expect(body.tags).toHaveLength(20);
    expect(body.meta).toEqual({ total: 45 });
    expect(body.links.pages).toEqual({
      next: `${test.api.url}/v2/tags?page=2`,
      last: `${test.api.url}/v2/tags?page=3`,
    });
  });

  it("following `next` ends, and meets everything once", async () => {
    const names: string[] = [];
    let next: string | undefined = "/v2/tags?per_page=7";
    while (next) {
      const { body } = await test.get(next);
      names.push(...body.tags.map((tag: { name: string }) => tag.name));
      next = body.links.pages?.next?.slice(test.api.url.length);
    }
    expect(new Set(names).size).toBe(45);
    expect(names).toHaveLength(45);
  });

  it("at most 200 a page; a page after the last is empty", async () => {
    expect((await test.get("/v2/tags?per_page=1000")).body.tags).toHaveLength(45);
    const { body } = await test.get("/v2/tags?page=9");
    expect(body.tags).toEqual([]);
    expect(body.links.pages.prev).toBe(`${test.api.url}/v2/tags?page=3`);
  });
});

describe("rate limits", () => {
  it("more than the limit in a minute is refused until the window has moved on", () => {
    let now = 0;
    const limiter = new RateLimiter({ perHour: 5, perMinute: 2 }, true, () => now);
    expect(limiter.take().allowed).toBe(true);
    now = 10_000;
    expect(limiter.take()).toMatchObject({ allowed: true, limit: 5, remaining: 3 });
    now = 20_000;
    expect(limiter.take()).toMatchObject({ allowed: false, retryAfter: 40 });
    now = 60_001;
    expect(limiter.take().allowed).toBe(true);
  });

  it("the hour's limit holds when the minute's does not bind", () => {
    let now = 0;
    const limiter = new RateLimiter({ perHour: 3, perMinute: 2 }, true, () => now);
    for (; now < 180_000; now += 60_000) expect(limiter.take().allowed).toBe(true);
    expect(limiter.take()).toMatchObject({ allowed: false, remaining: 0, retryAfter: 3420 });
  });

  it("a refusal says when to come again", async () => {
    const test = await TestApi.start({ rateLimit: { perMinute: 1 } });
    const first = await test.get("/v2/account");
    expect(first.headers).toMatchObject({
      "ratelimit-limit": "5000",
      "ratelimit-remaining": "4999",
    });
    const second = await test.get("/v2/account");
    expect([second.status, second.body.id]).toEqual([429, "too_many_requests"]);
    expect(Number(second.headers["retry-after"])).toBeGreaterThan(0);
    await test.stop();
  });

  it("nothing is refused unless asked for", () => {
    const limiter = new RateLimiter({ perHour: 1, perMinute: 1 }, false, () => 0);
    for (let i = 0; i < 5; i++) expect(limiter.take().allowed).toBe(true);
  });
});

describe("failures on order", () => {
  it("strike the requests that match, as often as asked, and then no more", async () => {
    const test = await TestApi.start({
      faults: [{ method: "POST", path: "/v2/tags", status: 500, times: 2 }],
    });
    const create = async () => (await test.post("/v2/tags", { name: "a" })).status;
    expect((await test.get("/v2/tags")).status).toBe(200);
    expect([await create(), await create(), await create()]).toEqual([500, 500, 201]);
    await test.stop();
  });

  it("a lost answer leaves the change made; a lost request does not", async () => {
    const test = await TestApi.start();
    await test.post("/_local/faults", { faults: [{ path: "/v2/tags", drop: true }] });
    await expect(test.post("/v2/tags", { name: "before" })).rejects.toThrow();
    await test.post("/_local/faults", {
      faults: [{ path: "/v2/tags", drop: true, when: "after" }],
    });
    await expect(test.post("/v2/tags", { name: "after" })).rejects.toThrow();
    const { body } = await test.get("/v2/tags");
    expect(body.tags.map((tag: { name: string }) => tag.name)).toEqual(["after"]);
    await test.stop();
  });
});

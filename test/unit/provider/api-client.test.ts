import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { ApiClient } from "../../../local/provider/digitalocean/client";
import { narrow } from "../../../local/provider/digitalocean/filters";

type Answer = { status: number; body?: unknown; headers?: Record<string, string> };

describe("the client of DigitalOcean's API", () => {
  let server: http.Server;
  let answers: Answer[];
  let seen: string[];
  beforeEach(async () => {
    answers = [];
    seen = [];
    server = http.createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const { status, body, headers } = answers.shift() ?? { status: 200, body: {} };
      response.writeHead(status, headers).end(body === undefined ? "" : JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const client = (options: { token?: string; endpoint?: string } = {}): ApiClient =>
    new ApiClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: "t",
      retryMax: 4,
      retryWaitMinSeconds: 0.001,
      retryWaitMaxSeconds: 0.002,
      requestsPerSecond: 0,
      ...options,
    });

  test("a 429 and 5xx midway are repeated, so that an up goes on", async () => {
    answers = [{ status: 429 }, { status: 500 }, { status: 503 }, { status: 200, body: { ok: 1 } }];
    expect(await client().post("/vpcs", {})).toEqual({ ok: 1 });
    expect(seen).toHaveLength(4);
  });

  test("after four repetitions the API's own words are the error", async () => {
    answers = Array.from({ length: 5 }, () => ({
      status: 500,
      body: { message: "Server Error", request_id: "r1" },
    }));
    await expect(client().get("/vpcs")).rejects.toThrow(
      /GET .*\/v2\/vpcs: 500 \(request "r1"\) Server Error/,
    );
    expect(seen).toHaveLength(5);
  });

  test("a refused request is not repeated", async () => {
    answers = [{ status: 422, body: { message: "Name is invalid" } }];
    await expect(client().post("/droplets", {})).rejects.toThrow(/422 Name is invalid/);
    expect(seen).toHaveLength(1);
  });

  test("a wrong token says where to set it", async () => {
    answers = [{ status: 401, body: { message: "Unable to authenticate you" } }];
    await expect(client({ token: "wrong" }).get("/account")).rejects.toThrow(
      /401 Unable to authenticate you.*pulumi config set --secret digitalocean:token/,
    );
  });

  test("no token says so without asking the API", async () => {
    const { DIGITALOCEAN_TOKEN, DIGITALOCEAN_ACCESS_TOKEN } = process.env;
    delete process.env.DIGITALOCEAN_TOKEN;
    delete process.env.DIGITALOCEAN_ACCESS_TOKEN;
    try {
      await expect(client({ token: "" }).get("/account")).rejects.toThrow(
        /no DigitalOcean API token is set/,
      );
      expect(seen).toEqual([]);
    } finally {
      Object.assign(process.env, {
        ...(DIGITALOCEAN_TOKEN && { DIGITALOCEAN_TOKEN }),
        ...(DIGITALOCEAN_ACCESS_TOKEN && { DIGITALOCEAN_ACCESS_TOKEN }),
      });
    }
  });

  test("an API that is down is named, with the reason", async () => {
    await expect(client({ endpoint: "http://127.0.0.1:1" }).get("/account")).rejects.toThrow(
      /GET http:\/\/127.0.0.1:1\/v2\/account: the DigitalOcean API cannot be reached/,
    );
  });

  test("a list is read over all its pages", async () => {
    answers = [
      { status: 200, body: { tags: [1], links: { pages: { next: "x" } } } },
      { status: 200, body: { tags: [2], links: {} } },
    ];
    expect(await client().all("/tags", "tags")).toEqual([1, 2]);
    expect(seen).toEqual(["GET /v2/tags?per_page=200&page=1", "GET /v2/tags?per_page=200&page=2"]);
  });
});

describe("filters and sorts of the list functions", () => {
  const sizes = [
    { slug: "b", vcpus: 2, priceMonthly: 18, regions: ["fra1", "nyc1"] },
    { slug: "a", vcpus: 2, priceMonthly: 24, regions: ["fra1"] },
    { slug: "c", vcpus: 1, priceMonthly: 6, regions: ["nyc1"] },
  ];
  const keys = ["slug", "vcpus", "priceMonthly", "regions"];
  const slugs = (args: Record<string, unknown>) =>
    narrow(sizes, args, keys).map(({ slug }) => slug);

  test.each([
    [{ filters: [{ key: "vcpus", values: ["2"] }] }, ["b", "a"]],
    [
      { filters: [{ key: "regions", values: ["nyc1"] }], sorts: [{ key: "price_monthly" }] },
      ["c", "b"],
    ],
    [{ filters: [{ key: "regions", values: ["fra1", "nyc1"], all: true }] }, ["b"]],
    [
      {
        filters: [{ key: "slug", values: ["^[ab]$"], matchBy: "re" }],
        sorts: [{ key: "slug", direction: "asc" }],
      },
      ["a", "b"],
    ],
    [
      {
        sorts: [
          { key: "vcpus", direction: "desc" },
          { key: "price_monthly", direction: "desc" },
        ],
      },
      ["a", "b", "c"],
    ],
  ])("%j", (args, expected) => {
    expect(slugs(args)).toEqual(expected);
  });

  test("an unknown key names those that exist", () => {
    expect(() => slugs({ filters: [{ key: "cpu", values: ["2"] }] })).toThrow(
      "expected key to be one of slug, vcpus, price_monthly, regions, got cpu",
    );
  });
});

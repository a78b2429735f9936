/** The drills' driver: a failed request must never go unnoticed, and none be made up. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { closedLoop } from "../../../scripts/drill/closed-loop";
import { kinds } from "../../../scripts/drill/drill";
import { percentile, startLoad } from "../../../scripts/drill/load";
import { resolver } from "../../../scripts/drill/resolver";

let server: Server;
let handled: number;

async function serve(listener: RequestListener): Promise<string> {
  handled = 0;
  server = createServer((request, response) => {
    handled += 1;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

afterEach(
  () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
);

/** Load until the server has handled so many requests. */
async function loadUntil(url: string, count: number) {
  const load = startLoad({ url }, 400);
  while (handled < count) await new Promise((resolve) => setTimeout(resolve, 5));
  return load.stop();
}

test("every request that reaches a healthy server is counted once, and none has failed", async () => {
  const url = await serve((_request, response) => response.end("ok"));
  const { requests, failures, p50Ms, p99Ms } = await loadUntil(url, 100);
  expect(failures).toEqual([]);
  expect(requests).toBe(handled);
  expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
});

test("an error page, a connection that is cut and a body that breaks off are failures", async () => {
  const url = await serve((_request, response) => {
    if (handled % 4 === 1) response.writeHead(503).end();
    else if (handled % 4 === 2) response.destroy();
    else if (handled % 4 === 3) {
      response.writeHead(200, { "content-length": "10" });
      response.write("half", () => response.destroy());
    } else response.end("ok");
  });
  const { requests, failures } = await loadUntil(url, 100);
  expect(requests).toBe(handled);
  // Of four requests only the last one gets a whole answer.
  expect(requests - failures.length).toBe(Math.floor(handled / 4));
  expect(kinds(failures.map(({ reason }) => reason)).join()).toMatch(/HTTP 503/);
});

test("a server that is gone fails every request", async () => {
  const url = await serve((_request, response) => response.end("ok"));
  await new Promise<void>((resolve) => server.close(() => resolve()));
  const load = startLoad({ url }, 400);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { requests, failures } = await load.stop();
  expect(requests).toBeGreaterThan(0);
  expect(failures).toHaveLength(requests);
  expect(kinds(failures.map(({ reason }) => reason))).toEqual([`${requests} × ECONNREFUSED`]);
});

test("percentiles are by nearest rank", () => {
  expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
  expect(percentile([1, 2, 3, 4], 0.99)).toBe(4);
});

test("a closed loop asks as often as it was told to, and tells right answers from wrong ones", async () => {
  const url = await serve((request, response) => {
    request.resume();
    response.statusCode = handled === 3 ? 500 : 200;
    response.end(handled === 5 ? "cut" : "whole");
  });
  const result = await closedLoop(
    url,
    4,
    (sent) => sent < 50,
    () => ({
      method: "POST",
      body: Buffer.from("x"),
      isRight: (body) => body.toString() === "whole",
    }),
  );
  expect(handled).toBe(50);
  expect(result.answered).toBe(48);
  expect([...result.reasons].sort()).toEqual(["HTTP 500", "an answer of 3 bytes that is wrong"]);
});

test("a name's address is kept for its time to live, and not a moment longer", async () => {
  let now = 0;
  let asked = 0;
  const ask = () => Promise.resolve({ address: `192.0.2.${++asked}`, ttlSeconds: 30 });
  const address = resolver(ask, () => now);
  expect(await Promise.all([address(), address()])).toEqual(["192.0.2.1", "192.0.2.1"]);
  now = 29_999;
  expect(await address()).toBe("192.0.2.1");
  now = 30_000;
  expect(await address()).toBe("192.0.2.2");
});

test("requests go where the name leads now, and none is lost when it moves", async () => {
  const served = await serve((_request, response) => response.end("ok"));
  const url = served.replace("127.0.0.1", "front.test");
  let turn = 0;
  const address = () => Promise.resolve(turn++ % 20 < 10 ? "127.0.0.1" : "127.0.0.2");
  // Only 127.0.0.1 listens: what fails is exactly what was sent to the other address.
  const load = startLoad({ url, address }, 400);
  while (handled < 50) await new Promise((resolve) => setTimeout(resolve, 5));
  const { requests, failures } = await load.stop();
  expect(requests - failures.length).toBe(handled);
  expect(failures.length).toBeGreaterThan(0);
});

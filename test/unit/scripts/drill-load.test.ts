/** The drills' driver: a failed request must never go unnoticed, and none be made up. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { closedLoop } from "../../../scripts/drill/closed-loop";
import { kinds } from "../../../scripts/drill/drill";
import { percentile, startLoad } from "../../../scripts/drill/load";

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

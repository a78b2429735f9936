import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { ask } from "../../../providers/http";

describe("an HTTP exchange", () => {
  let server: http.Server;
  let url: string;
  beforeEach(async () => {
    server = http.createServer((request, response) => {
      if (request.url === "/silent") return;
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        response.writeHead(request.url === "/moved" ? 302 : 201, { location: "/", "x-id": "7" });
        response.end(`${request.method} ${body} ${request.headers["content-length"]}`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  test("hands over status, headers and text; a body's length is counted in bytes", async () => {
    const answer = await ask(url, { method: "PUT", body: "größer" });
    expect(answer).toMatchObject({ status: 201, headers: { "x-id": "7" }, body: "PUT größer 8" });
  });

  test("shows a redirect instead of following it", async () => {
    expect((await ask(`${url}/moved`)).status).toBe(302);
  });

  test("ends when its signal does, though the server never answers", async () => {
    const signal = AbortSignal.timeout(50);
    await expect(ask(`${url}/silent`, { signal })).rejects.toThrow(/abort/i);
  });

  test("names the reason when nobody listens, for a host of several addresses too", async () => {
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(ask(`http://127.0.0.1:${port}`)).rejects.toThrow(/ECONNREFUSED/);
    await expect(ask(`http://localhost:${port}`)).rejects.toThrow(/ECONNREFUSED/);
    server.listen(0);
  });
});

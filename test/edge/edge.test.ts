import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { MasterSocket } from "../../components/edge/agent/haproxy";
import { Proxy } from "../../components/edge/agent/proxy";
import { drainCommand } from "../../components/edge/proxy-script";
import type { EdgeRoute, EdgeSettings } from "../../components/edge/settings";
import { EdgeSandbox, type Running, describeWith, eventually, loopbackDns } from "../acme/harness";
import { type Ask, Load, ask } from "./client";
import { Tasks } from "./tasks";

const HEALTH = "/archipelago/health";
/** Long enough for a balancer that looks twenty times a second. */
const NOTICE_SECONDS = 1;
const [ONE, TWO] = ["127.0.0.2", "127.0.0.3"] as const;

/** What one node of several runs: HAProxy, and the files that its agent writes. */
interface EdgeNode {
  readonly sandbox: EdgeSandbox;
  readonly haproxy: Running;
  readonly port: number;
  ask(path: string, options?: Ask): ReturnType<typeof ask>;
}

async function startNode(
  resolver: string,
  routes: readonly EdgeRoute[],
  more: Partial<EdgeSettings>,
): Promise<EdgeNode> {
  const sandbox = await EdgeSandbox.create(resolver, routes, more);
  const { runDir, listen } = sandbox.settings;
  const control = new MasterSocket(join(runDir, "master.sock"));
  const proxy = new Proxy(sandbox.settings, control, () => undefined);
  const haproxy = sandbox.startHaproxy(NOTICE_SECONDS);
  await eventually(15, async () => {
    await proxy.apply([]);
    expect(proxy.current).toMatchObject({ applied: true });
    expect((await ask(listen.http, HEALTH)).status).toBe(200);
  });
  return {
    sandbox,
    haproxy,
    port: listen.http,
    ask: (path, options) => ask(listen.http, path, options),
  };
}

describeWith(["haproxy"], "the edge behind a Load Balancer", () => {
  let tasks: Tasks;
  let inDns: string[];
  let nodes: EdgeNode[];
  let node: EdgeNode;
  let closeDns: () => void;

  beforeAll(async () => {
    inDns = [ONE, TWO];
    const turns: string[][] = [];
    const dns = await loopbackDns((name) => {
      // Each node meets the tasks in another order.
      turns.push([]);
      const tasksOf = turns.length % 2 === 0 ? [...inDns] : [...inDns].reverse();
      return Promise.resolve(name.startsWith("tasks.") ? tasksOf : []);
    });
    closeDns = dns.close;
    tasks = await Tasks.start([ONE, TWO]);
    const service = { port: tasks.port, health: { path: "/healthz" } };
    const routes: EdgeRoute[] = [
      { ...service, service: "web" },
      { ...service, service: "turns", paths: ["/turns"], balance: "round-robin" },
      { ...service, service: "sourced", paths: ["/sourced"], balance: "source" },
      { ...service, service: "sticky", paths: ["/sticky"], stickyCookie: "task" },
      { ...service, service: "kept", paths: ["/cached"], cachePaths: ["/cached/declared"] },
      {
        ...service,
        service: "limited",
        paths: ["/limited"],
        rateLimit: { requests: 5, seconds: 60 },
      },
    ];
    const settings = { front: { range: "127.0.0.1/32" }, deny: ["203.0.113.0/24", "2001:db8::7"] };
    nodes = await Promise.all([1, 2].map(() => startNode(dns.address, routes, settings)));
    [node] = nodes as [EdgeNode];
    await eventually(10, async () => {
      for (const path of ["/", "/turns", "/sourced", "/sticky", "/cached", "/limited"]) {
        for (const one of nodes) expect((await one.ask(path)).status).toBe(200);
      }
    });
  }, 60_000);

  afterAll(async () => {
    tasks?.release();
    for (const { sandbox } of nodes ?? []) await sandbox.close();
    tasks?.stop();
    closeDns?.();
  });

  /** The address that a client has for the balancer, which adds it at the end. */
  const client = (...addresses: string[]) => ({
    headers: { "x-forwarded-for": addresses.join(", "), "x-forwarded-proto": "https" },
  });
  const lastSeen = () => tasks.seen.at(-1)?.headers;

  it("answers for its own health, never the app", async () => {
    const before = tasks.seen.length;
    expect(await node.ask(HEALTH)).toMatchObject({ status: 200, body: "ok" });
    expect(tasks.seen.length).toBe(before);
  });

  it("tells the app the client's address that the balancer added, not one that a client made up", async () => {
    await node.ask("/", client("192.0.2.99", "198.51.100.7"));
    expect(lastSeen()).toMatchObject({
      "x-forwarded-for": "198.51.100.7",
      "x-forwarded-proto": "https",
      forwarded: "for=198.51.100.7;proto=https",
    });
    await node.ask("/", client("2001:db8::1"));
    expect(lastSeen()?.forwarded).toBe('for="[2001:db8::1]";proto=https');
  });

  it("does not believe addresses from anywhere but the balancer", async () => {
    await node.ask("/", { ...client("198.51.100.7"), from: "127.0.0.9" });
    expect(lastSeen()).toMatchObject({
      "x-forwarded-for": "127.0.0.9",
      "x-forwarded-proto": "http",
    });
  });

  it("refuses clients on the deny list, and only those", async () => {
    const statuses = async (...addresses: string[]) =>
      (await node.ask("/", client(...addresses))).status;
    expect(await statuses("203.0.113.9")).toBe(403);
    expect(await statuses("2001:db8::7")).toBe(403);
    expect(await statuses("203.0.113.9", "203.0.114.9")).toBe(200);
    const direct = await node.ask("/", { ...client("203.0.113.9"), from: "127.0.0.9" });
    expect(direct.status).toBe(200);
  });

  it("limits each client of a service by itself", async () => {
    const statuses = async (address: string, path = "/limited") =>
      (await node.ask(path, client(address))).status;
    const first: number[] = [];
    for (let request = 0; request < 7; request++) first.push(await statuses("198.51.100.1"));
    expect(first).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const refused = await node.ask("/limited", client("198.51.100.1"));
    expect(refused.headers["retry-after"]).toBe("60");
    expect(refused.body).toContain("Too many requests");
    expect(await statuses("198.51.100.2")).toBe(200);
    expect(await statuses("198.51.100.1", "/")).toBe(200);
    // One IPv6 client has as many addresses as it likes.
    const many: number[] = [];
    for (let request = 0; request < 6; request++)
      many.push(await statuses(`2001:db8::1:${request}`));
    expect(many).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it("leads a browser back to its task, whichever node it comes in by", async () => {
    const { headers, body } = await node.ask("/sticky");
    const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    expect(cookie).toMatch(/^task=/);
    for (const one of nodes) {
      for (let request = 0; request < 6; request++) {
        expect((await one.ask("/sticky", { headers: { cookie } })).body).toBe(body);
      }
    }
  });

  it("balances as the service asks: in turn, by the client's address, or to the task with less to do", async () => {
    const answeredBy = async (count: number, path: string, address: () => string) => {
      const by: string[] = [];
      for (let request = 0; request < count; request++) {
        by.push((await node.ask(path, client(address()))).body);
      }
      return by;
    };
    const inTurn = await answeredBy(6, "/turns", () => "198.51.100.1");
    for (const task of [ONE, TWO]) expect(inTurn.filter((by) => by === task)).toHaveLength(3);

    expect(new Set(await answeredBy(6, "/sourced", () => "198.51.100.1")).size).toBe(1);
    let next = 0;
    const others = await answeredBy(30, "/sourced", () => `198.51.100.${next++}`);
    expect(new Set(others).size).toBe(2);

    const slow = node.ask("/slow");
    await eventually(5, () => expect(tasks.slow).toBe(1));
    const free = await answeredBy(6, "/", () => "198.51.100.1");
    tasks.release();
    const { body: busy } = await slow;
    expect(free).not.toContain(busy);
  });

  it("keeps copies only of declared paths, and only what the app allows everybody to share", async () => {
    const asked = async (path: string, options?: Ask) => {
      const first = await node.ask(path, options);
      const second = await node.ask(path, options);
      return first.body === second.body;
    };
    const declared = "/cached/declared";
    expect(await asked(`${declared}?control=max-age%3D60`)).toBe(true);
    expect(await asked(`${declared}/below?control=public,%20s-maxage%3D60`)).toBe(true);
    expect(await asked(`/cached/other?control=max-age%3D60`)).toBe(false);
    expect(await asked(`${declared}x?control=max-age%3D60`)).toBe(false);
    for (const control of ["", "private, max-age=60", "no-store", "max-age=0", "no-cache"]) {
      const path = `${declared}?n=${control.length}&control=${encodeURIComponent(control)}`;
      expect(await asked(path)).toBe(false);
    }
    expect(await asked(`${declared}?control=max-age%3D61&cookie=session%3D1`)).toBe(false);
    const authorization = { headers: { authorization: "Basic dTpw" } };
    expect(await asked(`${declared}?control=max-age%3D62`, authorization)).toBe(false);
    expect(await node.ask(`${declared}?control=max-age%3D60`)).toMatchObject({
      headers: { "cache-control": "max-age=60", "cache-status": "edge; hit; detail=fresh" },
    });
  });

  it("retries what may be asked twice, and never sends a POST again", async () => {
    tasks.broken.add(ONE);
    const before = tasks.seen.length;
    const gets = await Promise.all(Array.from({ length: 12 }, () => node.ask("/turns")));
    expect(new Set(gets.map(({ status }) => status))).toEqual(new Set([200]));
    const posts = await Promise.all(
      Array.from({ length: 12 }, () => node.ask("/turns", { method: "POST" })),
    );
    tasks.broken.clear();
    expect(new Set(posts.map(({ status }) => status))).toEqual(new Set([200, 502]));
    const seen = tasks.seen.slice(before).filter(({ method }) => method === "POST");
    expect(seen).toHaveLength(12);
  });

  it("fails no request while a task leaves as swarm stops one, or another comes", async () => {
    const load = new Load(node.port, "/");
    const reached = async (task: string) => {
      const from = tasks.seen.length;
      const total = load.total + 40;
      await eventually(10, () => expect(load.total).toBeGreaterThan(total));
      return tasks.seen.slice(from).some((one) => one.task === task);
    };
    // Swarm takes a task out of DNS before it asks it to end.
    inDns = [TWO];
    await eventually(10, async () => expect(await reached(ONE)).toBe(false));
    await tasks.remove(ONE);
    await tasks.add(ONE);
    inDns = [ONE, TWO];
    await eventually(10, async () => expect(await reached(ONE)).toBe(true));
    expect(Object.keys(await load.stop())).toEqual(["200"]);
  }, 60_000);

  it("serves the last copy while no task is up, unless the app forbids it", async () => {
    const path = (control: string) => `/cached/declared/${control}?control=${control}`;
    const [short, strict] = ["max-age=1", "max-age=1,must-revalidate"].map(path) as [
      string,
      string,
    ];
    const old = await node.ask(short);
    await node.ask(strict);
    // The copy that counts is the last one.
    const last = await eventually(5, async () => {
      const answer = await node.ask(short);
      expect(answer.body).not.toBe(old.body);
      return answer;
    });
    inDns = [];
    await Promise.all([ONE, TWO].map((address) => tasks.remove(address)));
    await eventually(15, async () =>
      expect(await node.ask(short)).toMatchObject({
        status: 200,
        body: last.body,
        headers: { "cache-control": "no-cache", "cache-status": "edge; hit; detail=stale" },
      }),
    );
    const refused = await node.ask(strict);
    expect(refused.status).toBe(503);
    expect(refused.body).toContain('No healthy container of the service "kept"');
    // The node is not to blame: a balancer that took all nodes away would hide this page.
    expect((await node.ask(HEALTH)).status).toBe(200);
    await Promise.all([ONE, TWO].map((address) => tasks.add(address)));
    inDns = [ONE, TWO];
    await eventually(15, async () => {
      for (const one of nodes) expect((await one.ask("/")).status).toBe(200);
    });
  }, 60_000);

  it("asks a task that fails its check only when every task does, and then rather than nobody", async () => {
    const answers = async () => {
      const all = await Promise.all(Array.from({ length: 8 }, () => node.ask("/turns")));
      return [...new Set(all.map(({ status, body }) => `${status} ${body}`))].sort();
    };
    await eventually(15, async () => expect(await answers()).toEqual([`200 ${ONE}`, `200 ${TWO}`]));
    tasks.unwell.add(ONE);
    await eventually(15, async () => expect(await answers()).toEqual([`200 ${TWO}`]));
    tasks.unwell.add(TWO);
    await eventually(15, async () => expect(await answers()).toEqual([`200 ${ONE}`, `200 ${TWO}`]));
    tasks.unwell.delete(TWO);
    await eventually(15, async () => expect(await answers()).toEqual([`200 ${TWO}`]));
    tasks.unwell.clear();
    await eventually(15, async () => expect(await answers()).toEqual([`200 ${ONE}`, `200 ${TWO}`]));
  }, 90_000);

  it("serves on after its drain command, with its health check failing", async () => {
    const [, other] = nodes as [EdgeNode, EdgeNode];
    const [program = "", ...rest] = drainCommand(other.sandbox.settings.runDir);
    for (let time = 0; time < 2; time++) expect(spawnSync(program, rest).status).toBe(0);
    expect(await other.ask(HEALTH)).toMatchObject({ status: 503, body: "draining" });
    expect((await other.ask("/")).status).toBe(200);
  });

  it("on SIGTERM fails no request: health first, then no new connections, then the end", async () => {
    const load = new Load(node.port, "/");
    const slow = node.ask("/slow");
    await eventually(5, () => expect(tasks.slow).toBe(1));
    const stopped = node.haproxy.stop("SIGTERM");
    // As a balancer does: it sends no more once the check has failed.
    await eventually(5, async () => expect((await node.ask(HEALTH)).status).toBe(503));
    const answers = await load.stop();
    await eventually(10, () => expect(node.ask("/")).rejects.toThrow("ECONNREFUSED"));
    tasks.release();
    expect((await slow).status).toBe(200);
    await stopped;
    expect(node.haproxy.exitCode).toBe(0);
    expect(Object.keys(answers)).toEqual(["200"]);
  }, 60_000);
});

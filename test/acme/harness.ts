import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type RequestListener, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proxyScript } from "../../components/edge/proxy-script";
import { EDGE_DEFAULTS, type EdgeRoute, type EdgeSettings } from "../../components/edge/settings";
import { freePorts } from "../../scripts/bench/free-port";

/** Which of these programs are not installed; Debian's package of each has the same name. */
export function missingPrograms(programs: readonly string[]): string[] {
  const path = `${process.env.PATH ?? ""}:/usr/sbin`;
  return programs.filter(
    (program) => spawnSync("which", [program], { env: { PATH: path } }).status !== 0,
  );
}

/** `describe`, or `describe.skip` after saying what is missing. */
export function describeWith(programs: readonly string[], title: string, body: () => void): void {
  const missing = missingPrograms(programs);
  if (missing.length === 0) return describe(title, body);
  console.warn(`SKIPPED "${title}": not installed: ${missing.join(", ")} (apt-get install them)`);
  describe.skip(title, body);
}

/** Waits for a condition, at most `seconds`; the last error says what was still wrong. */
export async function eventually<T>(seconds: number, check: () => Promise<T> | T): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export async function httpServer(
  listener: RequestListener,
): Promise<{ server: Server; port: number }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/**
 * Docker's and the world's DNS in one: names have A records and nothing else (RFC 1035 §4).
 *
 * @param addressesOf the records' IPv4 addresses. @default 127.0.0.1 for every name
 */
export async function loopbackDns(
  addressesOf: (name: string) => Promise<readonly string[]> = () => Promise.resolve(["127.0.0.1"]),
): Promise<{ address: string; close: () => void }> {
  const socket = createSocket("udp4");
  const reply = async (query: Buffer): Promise<Buffer> => {
    let end = 12;
    const labels: string[] = [];
    for (let length; (length = query[end] ?? 0) !== 0; end += length + 1) {
      labels.push(query.toString("latin1", end + 1, end + 1 + length).toLowerCase());
    }
    const question = query.subarray(12, end + 5);
    const isA = question.readUInt16BE(question.length - 4) === 1;
    const addresses = isA ? await addressesOf(labels.join(".")) : [];
    const header = Buffer.from([0, 0, 0x85, 0x80, 0, 1, 0, addresses.length, 0, 0, 0, 0]);
    query.copy(header, 0, 0, 2);
    const answers = addresses.map((address) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)]),
    );
    return Buffer.concat([header, question, ...answers]);
  };
  socket.on("message", (query, from) => {
    // A name that cannot be answered is left without an answer.
    void reply(query).then(
      (answer) => socket.send(answer, from.port, from.address),
      () => undefined,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { address: `127.0.0.1:${socket.address().port}`, close: () => socket.close() };
}

/** One process with its output kept. */
export class Running {
  output = "";
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(command, args, {
      env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin`, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.ended = new Promise((resolve) => this.child.once("close", () => resolve()));
  }

  get exitCode() {
    return this.child.exitCode;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.ended;
  }
}

/** A directory and ports of our own, and settings for the edge on loopback. */
export class EdgeSandbox {
  readonly dir = mkdtempSync(join(tmpdir(), "edge-"));
  private readonly cleanups: (() => unknown)[] = [];

  private constructor(readonly settings: EdgeSettings) {}

  static async create(
    resolver: string,
    routes: readonly EdgeRoute[],
    more: Partial<EdgeSettings> = {},
  ): Promise<EdgeSandbox> {
    const [http = 0, https = 0, internal = 0, agent = 0] = await freePorts(4);
    const sandbox = new EdgeSandbox({
      ...EDGE_DEFAULTS,
      routes,
      names: [],
      acme: { directoryUrl: "https://127.0.0.1:9/none" },
      listen: { address: "127.0.0.1", http, https, internal, agent },
      resolver,
      runDir: "",
      dataDir: "",
      ...more,
    });
    const settings = sandbox.settings as { runDir: string; dataDir: string };
    settings.runDir = join(sandbox.dir, "run");
    settings.dataDir = join(sandbox.dir, "data");
    mkdirSync(settings.runDir);
    return sandbox;
  }

  onClose(cleanup: () => unknown) {
    this.cleanups.unshift(cleanup);
  }

  /** HAProxy exactly as the swarm service starts it. */
  startHaproxy(noticeSeconds = 0): Running {
    const haproxy = new Running("sh", ["-c", proxyScript(this.settings.runDir, noticeSeconds)], {
      NODE_NAME: "node-1",
    });
    this.onClose(() => haproxy.stop("SIGTERM"));
    return haproxy;
  }

  write(file: string, contents: string | Buffer): string {
    const path = join(this.dir, file);
    writeFileSync(path, contents);
    return path;
  }

  async close(): Promise<void> {
    for (const cleanup of this.cleanups) await cleanup();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

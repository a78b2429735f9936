import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "ssh2";
import { generateKeyPair } from "../../providers/swarm/ssh/key-pair";

/** Waits until `probe` answers something other than undefined or false; its last error is in the message. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  timeoutSeconds = 120,
): Promise<T> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutSeconds} s`, { cause: last });
    }
    await delay(200);
  }
}

/** What a TCP server says before it hangs up; rejects with `ETIMEDOUT` when nobody answers the connection. */
export function ask(
  host: string,
  port: number,
  { from, timeoutMs = 1500 }: { from?: string; timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, localAddress: from });
    let said = "";
    socket.setTimeout(timeoutMs, () =>
      socket.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })),
    );
    socket.on("data", (chunk: Buffer) => (said += chunk.toString()));
    socket.on("error", reject);
    socket.on("end", () => {
      socket.destroy();
      resolve(said.trim());
    });
  });
}

export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function keyPair(): KeyPair {
  const { private: privateKey, public: publicKey } = generateKeyPair();
  return { privateKey, publicKey };
}

/** Runs a command over SSH as root, as an operator would; answers its output. */
export function ssh(host: string, privateKey: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.on("error", reject);
    client.on("ready", () => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let out = "";
        let err = "";
        channel.on("data", (chunk: Buffer) => (out += chunk.toString()));
        channel.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
        channel.on("close", (code: number | null) => {
          client.end();
          if (code === 0) resolve(out.trim());
          else reject(new Error(`${command}: exit ${code}: ${err || out}`));
        });
      });
    });
    client.connect({ host, username: "root", privateKey, readyTimeout: 5000 });
  });
}

/** A metadata server that knows Droplets by the address they ask from. */
export async function metadataServer(
  ids: ReadonlyMap<string, number>,
): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((request, response) => {
    const peer = request.socket.remoteAddress?.replace("::ffff:", "") ?? "";
    response.end(String(ids.get(peer) ?? `unknown ${peer}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, server };
}

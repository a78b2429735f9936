/** A node for tests: a real SSH server in this process, scripted commands, and a Docker API that remembers a little. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as net from "node:net";
import { Server, type Connection as ServerConnection } from "ssh2";

export interface CommandAnswer {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface FakeNodeOptions {
  /** Private host key, PEM. */
  readonly hostKey: string;
  /** Public keys that may log in, as `ssh-ed25519 AAAA…`. */
  readonly authorized: readonly string[];
  /** Answers a script by what it contains. */
  readonly run: (script: string, node: FakeNode) => CommandAnswer;
  /** Where it passes connections on to, `host:port` as it is asked for → port of this machine. @default nowhere */
  readonly reaches?: Readonly<Record<string, number>>;
}

/** Docker's answers: `METHOD /path` without version and query → status and body. */
export type DockerApi = (request: string, body: unknown) => { status?: number; body?: unknown };

export class FakeNode {
  readonly scripts: string[] = [];
  /** `METHOD /path` of each call to Docker. */
  readonly dockerCalls: string[] = [];
  /** `host:port` of each connection that it was asked to pass on. */
  readonly passedOn: string[] = [];
  docker: DockerApi = () => ({ status: 404, body: { message: "nothing here" } });
  private sshd: Server;
  private readonly listener = net.createServer({ noDelay: true }, (socket) =>
    this.sshd.injectSocket(socket),
  );
  private readonly api: http.Server;
  private readonly clients = new Set<ServerConnection>();

  private constructor(private readonly options: FakeNodeOptions) {
    this.sshd = this.sshdWith(options.hostKey);
    this.api = http.createServer((request, response) => void this.answer(request, response));
  }

  static async start(options: FakeNodeOptions): Promise<FakeNode> {
    const node = new FakeNode(options);
    await new Promise<void>((resolve) => node.api.listen(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => node.listener.listen(0, "127.0.0.1", resolve));
    return node;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** What `systemctl reload ssh` does: new connections see the new key, open ones stay. */
  showHostKey(privateKey: string): void {
    this.sshd = this.sshdWith(privateKey);
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.end();
    this.api.closeAllConnections();
    await new Promise<void>((resolve) => this.listener.close(() => resolve()));
    await new Promise<void>((resolve) => this.api.close(() => resolve()));
  }

  private sshdWith(hostKey: string): Server {
    // OpenSSH's name makes the client use OpenSSH's extensions: streams to Unix sockets.
    return new Server({ hostKeys: [hostKey], ident: "OpenSSH_9.2" }, (client) =>
      this.serve(client),
    );
  }

  private serve(client: ServerConnection): void {
    this.clients.add(client);
    client
      .on("close", () => this.clients.delete(client))
      .on("error", () => undefined)
      .on("authentication", (context) => {
        const offered =
          context.method === "publickey"
            ? `${context.key.algo} ${context.key.data.toString("base64")}`
            : undefined;
        if (offered && this.options.authorized.includes(offered)) context.accept();
        else context.reject(["publickey"]);
      })
      .on("session", (accept) =>
        accept().on("exec", (acceptExec) => {
          const channel = acceptExec();
          let script = "";
          channel.on("data", (chunk: Buffer) => (script += chunk.toString()));
          channel.on("end", () => {
            this.scripts.push(script);
            const { exitCode = 0, stdout = "", stderr = "" } = this.options.run(script, this);
            channel.stderr.write(stderr);
            channel.write(stdout, () => {
              channel.exit(exitCode);
              channel.end();
            });
          });
        }),
      )
      .on("tcpip", (accept, reject, { destIP, destPort }) => {
        const target = `${destIP}:${destPort}`;
        this.passedOn.push(target);
        const port = this.options.reaches?.[target];
        if (port === undefined) return reject();
        const channel = accept();
        const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
        channel.pipe(socket).pipe(channel);
        socket.on("error", () => channel.end());
        channel.on("close", () => socket.destroy());
      })
      // The types know the event only under its old name.
      .on("openssh.streamlocal" as "tcpip", (accept) => {
        const channel = accept();
        const socket = net.connect({
          port: (this.api.address() as AddressInfo).port,
          host: "127.0.0.1",
          noDelay: true,
        });
        channel.pipe(socket).pipe(channel);
        socket.on("error", () => channel.end());
      });
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse) {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const path = (request.url ?? "").replace(/^\/v[\d.]+/, "").replace(/\?.*$/, "");
    const call = `${request.method} ${path}`;
    this.dockerCalls.push(call);
    const { status = 200, body = "" } = this.docker(call, text ? JSON.parse(text) : undefined);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  }
}

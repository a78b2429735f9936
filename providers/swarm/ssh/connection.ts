import { Client, type ClientChannel } from "ssh2";
import type { Duplex } from "node:stream";
import { messageOf } from "../wait";
import { findIdentities } from "./identity";
import { fingerprint, formatPublicKey } from "./host-keys";

/** Where an SSH server listens. */
export interface Endpoint {
  /** IPv4 address or name. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
}

/** A machine that passes connections on, and the only host key that is accepted of it: `ssh-ed25519 AAAA…`. */
export interface JumpHost {
  /** Public IPv4 address or name. */
  readonly host: string;
  /** @default 22 */
  readonly port?: number | undefined;
  readonly hostKey: string;
}

/** How a node's SSH server is reached. */
export interface Address extends Endpoint {
  /** For a node without a public address: `host` is its private one then. */
  readonly bastion?: JumpHost | undefined;
}

/** Decides whether the host key that the server shows (an SSH key blob) is the node's. */
export type HostKeyCheck = (presented: Buffer) => boolean;

/** The server showed another host key than the one that is pinned: nothing was sent to it. */
export class HostKeyMismatch extends Error {
  override readonly name = "HostKeyMismatch";
  constructor(
    readonly presented: Buffer,
    host: string,
  ) {
    super(
      `${host} shows host key ${fingerprint(presented)} (${formatPublicKey(presented).split(" ")[0]}), which is not the pinned one: ` +
        "it is another machine, or its key was changed by hand",
    );
  }
}

/** The server knows none of the operator's keys. */
export class LoginRefused extends Error {
  override readonly name = "LoginRefused";
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One authenticated connection as `root`; commands and Docker's API share it. */
export class SshConnection {
  private constructor(
    private readonly client: Client,
    readonly address: Address,
  ) {}

  /**
   * Connects, verifies the host key and logs in. A bastion is no affair of this one: see `openConnection`.
   *
   * @param socket what leads to the server. @default a TCP connection of its own
   * @throws {HostKeyMismatch} @throws {LoginRefused}
   * @throws {Error} when the address does not answer within `timeoutSeconds`.
   */
  static open(
    address: Address,
    isHostKey: HostKeyCheck,
    timeoutSeconds: number,
    socket?: Duplex,
  ): Promise<SshConnection> {
    const identities = findIdentities();
    const client = new Client();
    return new Promise((resolve, reject) => {
      let refusal: Error | undefined;
      const fail = (error: Error & { level?: string }) => {
        // An agent that does not answer is not the end: the next identity is tried.
        if (error.level === "agent") return;
        client.destroy();
        if (refusal) reject(refusal);
        else if (error.level === "client-authentication") {
          const tried = identities.map(({ description }) => description).join(" and ");
          reject(
            new LoginRefused(
              `${address.host} refused to log in root with ${tried}: add its public key to sshKeys, or set ARCHIPELAGO_SSH_KEY`,
            ),
          );
        } else reject(new Error(messageOf(error)));
      };
      client
        .once("ready", () => {
          client.removeListener("error", fail);
          // Whoever uses the connection sees its own operation fail; the pool hears "close".
          client.on("error", () => undefined);
          // Each request is a few small packets, which would wait for each other's acknowledgement.
          client.setNoDelay(true);
          resolve(new SshConnection(client, address));
        })
        .on("error", fail)
        .once("close", () => fail(new Error("connection closed by the other side")))
        .connect({
          host: address.host,
          port: address.port,
          ...(socket && { sock: socket }),
          username: "root",
          authHandler: identities.map(({ agent, privateKey }) =>
            agent
              ? { type: "agent" as const, username: "root", agent }
              : { type: "publickey" as const, username: "root", key: privateKey ?? "" },
          ),
          algorithms: { serverHostKey: ["ssh-ed25519"] },
          hostVerifier: (presented: Buffer) => {
            if (isHostKey(presented)) return true;
            refusal = new HostKeyMismatch(presented, address.host);
            return false;
          },
          readyTimeout: timeoutSeconds * 1000,
          keepaliveInterval: 5000,
          keepaliveCountMax: 3,
        });
    });
  }

  /** Runs a shell script as root, its text on standard input so that no argument shows in the process list. */
  run(script: string, timeoutSeconds = 60): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`command on ${this.address.host} took over ${timeoutSeconds} s`)),
        timeoutSeconds * 1000,
      );
      const lost = () => reject(new Error(`connection to ${this.address.host} was lost`));
      this.client.once("close", lost);
      const settle = () => {
        clearTimeout(timer);
        this.client.removeListener("close", lost);
      };
      const started = (error: Error | undefined, channel: ClientChannel) => {
        if (error) {
          settle();
          reject(new Error(messageOf(error)));
          return;
        }
        let stdout = "";
        let stderr = "";
        channel.setEncoding("utf8");
        channel.stderr.setEncoding("utf8");
        channel.on("data", (text: string) => (stdout += text));
        channel.stderr.on("data", (text: string) => (stderr += text));
        channel.on("close", (code: number | undefined, signal: string | undefined) => {
          settle();
          if (code === undefined) reject(new Error(`command was ended by ${signal ?? "the node"}`));
          else resolve({ exitCode: code, stdout, stderr });
        });
        // In braces the shell reads the whole script before it runs any of it: no command can swallow the rest.
        channel.end(`{\n${script}\n}\n`);
      };
      try {
        this.client.exec("sh -eu", started);
      } catch (error) {
        settle();
        reject(new Error(messageOf(error)));
      }
    });
  }

  /**
   * Standard output of a script that must succeed.
   *
   * @throws {Error} with the purpose and the last line of standard error.
   */
  async output(purpose: string, script: string, timeoutSeconds?: number): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(script, timeoutSeconds);
    if (exitCode !== 0) {
      const reason = stderr.trim().split("\n").at(-1) || `exit code ${exitCode}`;
      throw new Error(`${purpose} failed on ${this.address.host}: ${reason}`);
    }
    return stdout;
  }

  /** Text of a file, `undefined` when it does not exist. */
  async readFile(path: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.run(`[ -e '${path}' ] || exit 44\ncat '${path}'\n`);
    if (exitCode === 44) return undefined;
    if (exitCode !== 0) throw new Error(`${path} on ${this.address.host} cannot be read`);
    return stdout;
  }

  /** A stream to a Unix socket on the node. */
  openSocket(path: string): Promise<Duplex> {
    return this.channel((opened) => this.client.openssh_forwardOutStreamLocal(path, opened));
  }

  /** A stream to a TCP port that the node reaches (`direct-tcpip`, as of `ssh -W`). */
  openTcp({ host, port }: Endpoint): Promise<Duplex> {
    return this.channel((opened) => this.client.forwardOut("127.0.0.1", 0, host, port, opened));
  }

  private channel(
    open: (opened: (error: Error | undefined, channel: ClientChannel) => void) => void,
  ): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      try {
        open((error, channel) => (error ? reject(new Error(messageOf(error))) : resolve(channel)));
      } catch (error) {
        reject(new Error(messageOf(error)));
      }
    });
  }

  onClose(listener: () => void): void {
    this.client.once("close", listener);
  }

  close(): void {
    this.client.end();
  }
}

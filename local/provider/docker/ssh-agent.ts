import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import * as http from "node:http";
import { Duplex } from "node:stream";

/** Lines of ssh's complaints that an error repeats. */
const STDERR_LINES = 5;

/** The command of Docker's own SSH connection helper (docker/cli cli/connhelper). */
export function sshArguments(host: URL, sshOpts: readonly string[]): string[] {
  return [
    ...sshOpts,
    ...(host.username ? ["-l", decodeURIComponent(host.username)] : []),
    ...(host.port ? ["-p", host.port] : []),
    "--",
    host.hostname.replace(/^\[|\]$/g, ""),
    "docker",
    "system",
    "dial-stdio",
  ];
}

/** One `ssh … docker system dial-stdio` as a connection to a Docker engine. */
class SshStream extends Duplex {
  private readonly child: ChildProcessWithoutNullStreams;
  private stderr = "";

  constructor(private readonly args: readonly string[]) {
    super();
    this.child = spawn("ssh", args, { env: process.env });
    this.child.stderr.on("data", (data: Buffer) => {
      this.stderr = (this.stderr + data.toString()).slice(-4000);
    });
    this.child.stdout.on("data", (data: Buffer) => {
      if (!this.push(data)) {
        this.child.stdout.pause();
      }
    });
    this.child.stdin.on("error", () => undefined);
    this.child.on("error", (error) => this.destroy(this.failure(error.message)));
    this.child.on("close", (code) => {
      if (code === 0 || this.destroyed) {
        this.push(null);
      } else {
        this.destroy(this.failure(`exit code ${code ?? "none"}`));
      }
    });
  }

  override _read(): void {
    this.child.stdout.resume();
  }

  override _write(data: Buffer, _: BufferEncoding, done: () => void): void {
    // A broken pipe is told by ssh itself, with a reason, when it ends.
    this.child.stdin.write(data, () => done());
  }

  override _final(done: () => void): void {
    this.child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.child.kill();
    done(error);
  }

  // What an HTTP agent expects of a socket.
  setTimeout = (): this => this;
  setNoDelay = (): this => this;
  setKeepAlive = (): this => this;
  ref = (): this => this;
  unref = (): this => this;

  private failure(reason: string): Error {
    const said = this.stderr.trim().split("\n").slice(-STDERR_LINES).join("\n");
    return new Error(`ssh ${this.args.join(" ")} failed (${reason})${said ? `:\n${said}` : ""}`);
  }
}

/** Connections of one Docker client over SSH, kept open between requests. */
export class SshAgent extends http.Agent {
  constructor(private readonly args: readonly string[]) {
    // Few, because sshd drops what exceeds its MaxStartups (kreuzwerker/terraform-provider-docker#262).
    super({ keepAlive: true, maxSockets: 6 });
  }

  override createConnection(): Duplex {
    return new SshStream(this.args);
  }
}

/** A machine that commands run on: this one, or one that is reached by SSH. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { prepareSshDirectory } from "../../../components/ssh-directory";
import { sshOptions } from "../../../components/ssh-options";
import { Fault } from "../../../local/fault";
import type { NodeOutput } from "../../outputs";

/** A command that runs. */
export interface Running {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when it is over and everything it said was read. @throws {CommandFailed} for a status other than 0. */
  readonly ended: Promise<void>;
}

/** A command ended with another status than 0; the message is the last of what it complained of. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const COMPLAINT_BYTES = 4096;

export class Host {
  private constructor(
    /** As an operator calls it. */
    readonly name: string,
    private readonly before: readonly string[],
    private readonly isRemote: boolean,
    private readonly signal: AbortSignal | undefined,
  ) {
    if (isRemote) prepareSshDirectory();
  }

  static local(signal?: AbortSignal): Host {
    return new Host("this machine", [], false, signal);
  }

  /** A node of a stack, as root, its host key pinned. @throws {Fault} for a simulated machine. */
  static node({ name, connection }: NodeOutput, signal?: AbortSignal): Host {
    if (!connection) throw new Fault(`${name} is a simulated machine: it keeps no data`);
    const { host, port = 22, hostKey, bastion } = connection;
    const pinned = sshOptions(hostKey, process.env.ARCHIPELAGO_SSH_KEY !== undefined, bastion);
    const words = ["ssh", ...QUIET, ...pinned, "-p", String(port), "-l", "root", host, "--"];
    return new Host(name, words, true, signal);
  }

  /**
   * @param destination `[user@]host`, which may be a name of ~/.ssh/config.
   * @param hostKey the only one that is accepted (`ssh-ed25519 AAAA…`). @default the one in the operator's known_hosts
   */
  static ssh(
    destination: string,
    { hostKey, port, identity }: { hostKey?: string; port?: string; identity?: string },
    signal?: AbortSignal,
  ): Host {
    const options = hostKey === undefined ? KNOWN : sshOptions(hostKey, false);
    const words = [
      "ssh",
      ...QUIET,
      ...options,
      ...(port === undefined ? [] : ["-p", port]),
      ...(identity === undefined ? [] : ["-i", identity, "-o", "IdentitiesOnly=yes"]),
      destination,
      "--",
    ];
    return new Host(destination, words, true, signal);
  }

  /** The same machine for what has to be put right after an interruption. */
  get calm(): Host {
    return new Host(this.name, this.before, this.isRemote, undefined);
  }

  /** The same machine, where every command runs as root. */
  asRoot(): Host {
    return new Host(this.name, [...this.before, "sudo", "-n"], this.isRemote, this.signal);
  }

  /**
   * Starts a shell script. Neither it nor its arguments may hold a secret: both can be seen in the list of processes.
   *
   * @param args $1, $2, …
   */
  start(script: string, ...args: readonly string[]): Running {
    const words = ["sh", "-euc", script, "sh", ...args];
    // ssh gives the words to the login's shell, joined by blanks.
    const command = [...this.before, ...(this.isRemote ? words.map(quoted) : words)];
    const child = spawn(command[0] ?? "", command.slice(1), {
      stdio: ["pipe", "pipe", "pipe"],
      ...(this.signal && { signal: this.signal }),
    });
    // Who ends before it has read everything says so by its status.
    child.stdin.on("error", () => undefined);
    const ended = this.endOf(child);
    ended.catch(() => undefined);
    return { stdin: child.stdin, stdout: child.stdout, ended };
  }

  private async endOf(child: ChildProcess): Promise<void> {
    let complaint = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-COMPLAINT_BYTES);
    });
    const [status, killed] = (await once(child, "close").catch((error: Error) => {
      this.signal?.throwIfAborted();
      return rethrow(error);
    })) as [number | null, string | null];
    this.signal?.throwIfAborted();
    if (status === 0) return;
    const said = complaint.trim();
    if (status === 255 && this.isRemote) throw new Fault(`${this.name} cannot be reached: ${said}`);
    throw new CommandFailed(said || `it ended with ${killed ?? status ?? ""}`, status ?? 255);
  }

  /** Runs a script to its end. @returns its output. @throws {CommandFailed} */
  async output(script: string, ...args: readonly string[]): Promise<string> {
    const running = this.start(script, ...args);
    running.stdin.end();
    return collect(running);
  }

  /** Whether a script ends with status 0. */
  async succeeds(script: string, ...args: readonly string[]): Promise<boolean> {
    try {
      await this.output(script, ...args);
      return true;
    } catch (error) {
      if (error instanceof CommandFailed) return false;
      throw error;
    }
  }
}

/** All that it says. Bytes that are no UTF-8 stay what they are: one character each. */
export async function collect({ stdout, ended }: Running): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stdout) parts.push(part as Buffer);
  await ended;
  return Buffer.concat(parts).toString("latin1");
}

function rethrow(error: NodeJS.ErrnoException): never {
  if (error.code !== "ENOENT") throw error;
  throw new Fault("There is no ssh on PATH: install OpenSSH's client (openssh-client).");
}

const QUIET = ["-o", "LogLevel=ERROR"];

/** Nothing is trusted at first sight. */
const KNOWN = [
  ...["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"],
  ...["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"],
  ...["-o", "ControlMaster=auto", "-o", "ControlPath=~/.ssh/ap-%C", "-o", "ControlPersist=15"],
];

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

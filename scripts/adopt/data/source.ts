/** The server that an app leaves: where its data lies there, and what writes to it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { Fault } from "../../../local/fault";
import { PSQL_FLAGS, type StartPsql } from "../../migrate/psql";
import { CommandFailed, Host, type Running } from "./host";
import type { DumpSource } from "./postgres";
import { TOOLS } from "./tree";

export interface SourceOptions {
  /** `[user@]host[:directory]`, or a directory of this machine. */
  readonly from: string;
  /** Compose project: names of volumes and services are looked up in it. */
  readonly project?: string;
  readonly hostKey?: string;
  readonly port?: string;
  readonly identity?: string;
}

/** A container of the project. */
export interface Container {
  readonly id: string;
  readonly service: string;
}

export class Source {
  private constructor(
    readonly host: Host,
    /** Where relative paths begin. */
    private readonly directory: string,
    private readonly project: string | undefined,
  ) {}

  /** @throws {Fault} when it cannot be reached, or lacks what is needed there. */
  static async open(options: SourceOptions, signal: AbortSignal): Promise<Source> {
    const { destination, directory } = parseFrom(options.from);
    const login =
      destination === undefined ? Host.local(signal) : Host.ssh(destination, options, signal);
    const source = new Source(await rootOn(login), directory, options.project);
    if (!(await source.host.succeeds(TOOLS))) {
      throw new Fault(
        `${source.host.name} needs GNU's find, tar and sha256sum (Alpine: apk add findutils tar coreutils).`,
      );
    }
    return source;
  }

  /**
   * The directory of a volume.
   *
   * @param what a path, or the name of a volume of the project.
   * @throws {Fault} when there is none.
   */
  async directoryOf(what: string): Promise<string> {
    const volume = this.project !== undefined && !what.includes("/") && (await this.volumeOf(what));
    const found = volume || path.posix.resolve(this.directory, what);
    if (await this.host.succeeds('test -d "$1"', found)) return found;
    const where =
      this.project === undefined ? "" : `, and no volume of ${this.project} is called so`;
    throw new Fault(`There is no directory ${found} on ${this.host.name}${where}.`);
  }

  /** The same for a file in one. @param what a path; one that begins with a volume of the project lies in it. */
  async fileOf(what: string): Promise<string> {
    const [first = "", ...rest] = what.split("/");
    const volume =
      this.project !== undefined && first !== "" && rest.length > 0 && (await this.volumeOf(first));
    const found = volume
      ? path.posix.join(volume, ...rest)
      : path.posix.resolve(this.directory, what);
    if (await this.host.succeeds('test -f "$1"', found)) return found;
    throw new Fault(`There is no file ${found} on ${this.host.name}.`);
  }

  /** As Docker keeps it: `<project>_<name>`, whatever it was called in the file. */
  private async volumeOf(name: string): Promise<string | undefined> {
    const found = await this.docker(
      `docker volume inspect -f '{{.Mountpoint}}' $(docker volume ls -q --filter "label=com.docker.compose.project=$1" --filter "label=com.docker.compose.volume=$2") 2>/dev/null || docker volume inspect -f '{{.Mountpoint}}' "$1_$2" 2>/dev/null || docker volume inspect -f '{{.Mountpoint}}' "$2" 2>/dev/null || :`,
      this.project ?? "",
      name,
    );
    return found.split("\n").find((line) => line.startsWith("/"));
  }

  /** Running containers of the project. */
  async containers(): Promise<Container[]> {
    if (this.project === undefined) return [];
    const lines = await this.docker(
      `docker ps --filter "label=com.docker.compose.project=$1" --format '{{.ID}} {{.Label "com.docker.compose.service"}}'`,
      this.project,
    );
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [id = "", service = ""] = line.split(" ");
        return { id, service };
      });
  }

  /** @throws {Fault} when that service has no running container. */
  async containerOf(service: string): Promise<string> {
    if (this.project === undefined) {
      throw new Fault("A container is found by its compose project: add --project.");
    }
    const all = await this.containers();
    const found = all.find((one) => one.service === service);
    if (found) return found.id;
    const there = all.map((one) => one.service).join(", ") || "none";
    throw new Fault(
      `No container of ${service} runs in the project ${this.project} on ${this.host.name}: running are ${there}.`,
    );
  }

  /** Stops what writes: all containers of the project but these. @returns those that were stopped. */
  async stop(except: readonly string[]): Promise<readonly Container[]> {
    const writers = (await this.containers()).filter(({ id }) => !except.includes(id));
    if (writers.length > 0) {
      await this.docker('docker stop "$@" >/dev/null', ...writers.map(({ id }) => id));
    }
    return writers;
  }

  async start(containers: readonly Container[]): Promise<void> {
    if (containers.length === 0) return;
    await this.host.calm.output('docker start "$@" >/dev/null', ...containers.map(({ id }) => id));
  }

  /**
   * The server of a PostgreSQL service of the project; without a project the machine's own.
   *
   * @param name of the service; or of a database of the machine's own server.
   */
  async postgres(name: string): Promise<DumpSource & { readonly container: string | undefined }> {
    const container = this.project === undefined ? undefined : await this.containerOf(name);
    const start = (...words: readonly string[]) =>
      container === undefined
        ? this.host.start(ON_MACHINE, name, ...words)
        : this.host.start(IN_CONTAINER, container, LOGIN, "sh", ...words);
    return {
      container,
      psql: (streams) => conversation(start("psql", ...PSQL_FLAGS), streams),
      dump: (words) => start("pg_dump", ...words),
    };
  }

  private async docker(script: string, ...args: readonly string[]): Promise<string> {
    try {
      return await this.host.output(script, ...args);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      throw new Fault(`Docker on ${this.host.name} says: ${error.message}`);
    }
  }
}

const IN_CONTAINER = 'container=$1; shift; exec docker exec -i "$container" sh -euc "$@"';

/** As PostgreSQL's official image is told: its password stays in the container. */
const LOGIN = `export PGUSER="\${POSTGRES_USER:-postgres}"
export PGDATABASE="\${POSTGRES_DB:-$PGUSER}"
[ -z "\${POSTGRES_PASSWORD:-}" ] || export PGPASSWORD="$POSTGRES_PASSWORD"
exec "$@"`;

/** As the server's own user, whom its socket knows. */
const ON_MACHINE = `cd /
export PGDATABASE="$1"; shift
[ "$(id -u)" = 0 ] || exec "$@"
exec runuser -u postgres -- "$@"`;

/** psql that runs on a machine, as sessions are told of it. */
export async function conversation(
  running: Running,
  { stdin, onStdout, onStderr }: Parameters<StartPsql>[0],
): Promise<number> {
  running.stdout.on("data", onStdout);
  void pipeline(stdin, running.stdin).catch(() => undefined);
  try {
    await running.ended;
    return 0;
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    onStderr(Buffer.from(error.message));
    return error.status;
  }
}

/** `[user@]host[:directory]`, or a directory of this machine. */
function parseFrom(from: string): { destination: string | undefined; directory: string } {
  // npm runs scripts in the checkout, wherever it was called.
  const here = path.resolve(process.env.INIT_CWD ?? ".", from);
  if (/^[./]/.test(from) || fs.statSync(here, { throwIfNoEntry: false })?.isDirectory()) {
    if (fs.statSync(here, { throwIfNoEntry: false })?.isDirectory())
      return { destination: undefined, directory: here };
    throw new Fault(`There is no directory ${here}.`);
  }
  const [, destination, directory = "/"] = /^((?:[\w.+-]+@)?[\w.-]+)(?::(\/.*))?$/.exec(from) ?? [];
  if (destination === undefined || destination.startsWith("-")) {
    throw new Fault(
      `--from must be [user@]host, [user@]host:/directory, or a directory of this machine, got ${from}.`,
    );
  }
  return { destination, directory };
}

/** Files of other users are read by root alone: by the login itself, or by sudo where it asks nothing. */
async function rootOn(host: Host): Promise<Host> {
  const user = (await host.output("id -u")).trim();
  if (user === "0") return host;
  return (await host.succeeds("sudo -n true 2>/dev/null")) ? host.asRoot() : host;
}

/** Work of an operator's command beside a service: in a container of its own on the service's node, or in one of its tasks. */
import { randomBytes } from "node:crypto";
import { PassThrough, type Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import { Fault } from "../../local/fault";
import { swarmEngine } from "../../providers/swarm/docker/swarm-engine";
import type { NodeOutput } from "../outputs";
import { engineOf, managerOf, type Target } from "./target";

const MIB = 2 ** 20;
const LABEL = "archipelago.one-off";

/** Standard streams of a command. */
export interface Streams {
  /** Its whole input. The only way for a secret: arguments and environment can be read by `docker inspect`. @default none */
  readonly stdin?: Readable | string | undefined;
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  readonly onStderr?: ((chunk: Buffer) => void) | undefined;
  /** Ends it: the container is removed, or the command in a task gets no more input. @default never */
  readonly signal?: AbortSignal | undefined;
}

export interface OneOff extends Streams {
  /** Names the container, with random digits behind: `migrate`. */
  readonly name: string;
  /** On the node already, or pulled by the engine before. */
  readonly image: string;
  /** Replaces the image's entrypoint. */
  readonly command: readonly string[];
  /** Container whose network it joins, because services' overlay networks take no others. @default none */
  readonly networkOf?: string | undefined;
  /** Not for secrets. @default none */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** `/directory/on/node:/directory/in/container[:ro]`. @default none */
  readonly binds?: readonly string[] | undefined;
  /** Directories in memory, for what must not reach a disk. @default none */
  readonly tmpfs?: readonly string[] | undefined;
  /** @default the image's */
  readonly user?: string | undefined;
  readonly memoryMib: number;
}

/** A running task of a service, on the engine that runs it. */
export interface RunningTask {
  readonly node: NodeOutput;
  readonly engine: Docker;
  readonly container: Docker.Container;
}

/** @throws {Fault} when the service has no running task, or its node cannot be found. */
export async function runningTask(target: Target, service: string): Promise<RunningTask> {
  const [task] = await runningTasks(target, service);
  if (task) return task;
  throw new Fault(
    `No task of ${service} runs in ${target.stack}: npm run status -- ${target.stack} says why.`,
  );
}

/** Every running task of a service, with the engines that run them. @throws {Fault} when a node of one cannot be found. */
export async function runningTasks(target: Target, service: string): Promise<RunningTask[]> {
  const manager = await managerOf(target);
  const filters = { service: [service], "desired-state": ["running"] };
  const tasks = (await manager.listTasks({ filters: JSON.stringify(filters) })) as SwarmTask[];
  const members = await swarmEngine(manager).members();
  return Promise.all(
    tasks.flatMap(({ NodeID, Status }) => {
      const id = Status.ContainerStatus?.ContainerID;
      if (Status.State !== "running" || id === undefined) return [];
      const member = members.find((one) => one.id === NodeID);
      const node = target.outputs.nodes.find(({ privateIp }) => privateIp === member?.address);
      if (node === undefined) {
        throw new Fault(`The node of ${service} is not one of ${target.stack}.`);
      }
      return [
        engineOf(node).then((engine) => ({ node, engine, container: engine.getContainer(id) })),
      ];
    }),
  );
}

/**
 * Runs a command in a container of its own and removes it.
 *
 * A container that an operator's killed command left is removed by the next one of its name that starts, once it has ended.
 *
 * @returns its exit status.
 * @throws {Error} of the signal, when that ended it.
 */
export async function runOneOff(engine: Docker, one: OneOff): Promise<number> {
  await removeEnded(engine, one.name);
  const container = await engine.createContainer({
    name: `${one.name}-${randomBytes(4).toString("hex")}`,
    Image: one.image,
    Entrypoint: [one.command[0] ?? ""],
    Cmd: one.command.slice(1),
    Env: Object.entries(one.env ?? {}).map(([key, value]) => `${key}=${value}`),
    Labels: { [LABEL]: one.name },
    ...(one.user !== undefined && { User: one.user }),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: true,
    HostConfig: {
      Init: true,
      ...(one.networkOf !== undefined && { NetworkMode: `container:${one.networkOf}` }),
      Binds: [...(one.binds ?? [])],
      Tmpfs: Object.fromEntries((one.tmpfs ?? []).map((directory) => [directory, "mode=0700"])),
      Memory: one.memoryMib * MIB,
      LogConfig: { Type: "none", Config: {} },
    },
  });
  let removal: Promise<unknown> | undefined;
  const remove = () => (removal ??= container.remove({ force: true, v: true }));
  one.signal?.addEventListener("abort", () => void remove().catch(() => undefined), { once: true });
  try {
    one.signal?.throwIfAborted();
    const stream = await container.attach({
      stream: true,
      stdin: true,
      stdout: true,
      stderr: true,
      hijack: true,
    });
    await container.start();
    await converse(engine, stream, one);
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    one.signal?.throwIfAborted();
    return StatusCode;
  } finally {
    await remove();
  }
}

/**
 * Runs a command in a running container, as one more process there.
 *
 * @returns its exit status.
 */
export async function runInside(
  { engine, container }: Pick<RunningTask, "engine" | "container">,
  command: readonly string[],
  streams: Streams = {},
  user?: string,
): Promise<number> {
  const exec = await container.exec({
    Cmd: [...command],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    ...(user !== undefined && { User: user }),
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  streams.signal?.addEventListener("abort", () => stream.destroy(), { once: true });
  await converse(engine, stream, streams);
  const { ExitCode } = await exec.inspect();
  return ExitCode ?? -1;
}

/** Passes everything both ways until the other side closes. */
async function converse(
  engine: Docker,
  stream: NodeJS.ReadWriteStream,
  { stdin = "", onStdout, onStderr }: Streams,
): Promise<void> {
  const stdout = new PassThrough().on("data", (chunk: Buffer) => onStdout?.(chunk));
  const stderr = new PassThrough().on("data", (chunk: Buffer) => onStderr?.(chunk));
  engine.modem.demuxStream(stream, stdout, stderr);
  const said = finished(stream, { writable: false });
  // Who ends before it has read everything says so by its exit status.
  if (typeof stdin === "string") stream.end(stdin);
  else void pipeline(stdin, stream).catch(() => undefined);
  await said;
  if (typeof stdin !== "string") stdin.destroy();
}

async function removeEnded(engine: Docker, name: string): Promise<void> {
  const filters = { label: [`${LABEL}=${name}`], status: ["created", "exited", "dead"] };
  const ended = await engine.listContainers({ all: true, filters: JSON.stringify(filters) });
  await Promise.all(
    ended.map(({ Id }) =>
      engine
        .getContainer(Id)
        .remove({ v: true })
        .catch(() => undefined),
    ),
  );
}

/** What dockerode's types leave out. */
interface SwarmTask {
  readonly NodeID?: string;
  readonly Status: {
    readonly State: string;
    readonly ContainerStatus?: { readonly ContainerID?: string };
  };
}

import type Docker from "dockerode";
import { z } from "zod";
import { dockerEngine, waitForEngine } from "../docker/engine";
import { hasAuthorizedKeys, writeAuthorizedKeys } from "../node/authorized-keys";
import { waitForCloudInit } from "../node/cloud-init";
import { firstContact, rotateHostKey } from "../node/host-key";
import { forgetDeadNode, leaveSwarm } from "../node/leave";
import {
  ensureMember,
  ensureNodeSpec,
  inspectNode,
  livingManager,
  swarmInfoOf,
  waitUntilActive,
  waitUntilReady,
} from "../node/membership";
import { inTurn } from "../node/turn";
import { ensureVolume, releaseVolume } from "../node/volume";
import type { Context, Resource } from "../protocol/resource";
import { canonicalJson, changedKeys, UNKNOWN, type Properties } from "../protocol/values";
import { HostKeyMismatch, type SshConnection } from "../ssh/connection";
import { formatPublicKey } from "../ssh/host-keys";
import { connect, connectPatiently, disconnect, type Connection } from "../ssh/pool";
import { messageOf } from "../wait";
import * as shape from "./inputs";

/** A Droplet boots in well under a minute; a resized one is copied to another host first. */
const BOOT_SECONDS = 300;

/** `read` and `delete` deal with machines that may be gone: they wait this long and no longer. */
const GONE_SECONDS = 12;

const labels = z.record(z.string(), z.string());

const inputsSchema = z
  .strictObject({
    cluster: shape.nonEmptyText,
    defaultAddrPool: z.array(shape.cidr).optional(),
    name: shape.hostLabel,
    role: z.enum(["manager", "worker"], {
      error: (issue) => `must be "manager" or "worker", got ${JSON.stringify(issue.input)}`,
    }),
    dropletId: shape.nonEmptyText,
    dropletSize: shape.nonEmptyText.optional(),
    host: shape.hostName,
    port: shape.port.optional(),
    privateIp: shape.ipv4,
    bootHostKey: shape.hostKey,
    authorizedKeys: z
      .array(shape.authorizedKey)
      .min(1, "must name at least one key, or nobody could log in")
      .optional(),
    labels: labels.optional(),
    volume: z
      .strictObject({
        device: shape.absolutePath,
        mountPoint: shape.absolutePath,
        sizeGib: shape.wholeNumber(1, 16384, " GiB"),
        directories: z
          .array(
            z.strictObject({
              path: shape.relativePath,
              mode: shape
                .text('an octal mode such as "0755"', (value) => /^[0-7]{3,4}$/.test(value))
                .optional(),
            }),
          )
          .optional(),
      })
      .optional(),
    peers: z.array(shape.connection).optional(),
  })
  .refine(({ role, peers }) => role === "manager" || (peers?.length ?? 0) > 0, {
    path: ["peers"],
    message: "must name at least one manager for a worker to join, got none",
  });
type NodeInputs = z.infer<typeof inputsSchema>;

const stateSchema = z.looseObject({ nodeId: z.string(), hostKey: z.string() });

/** Another Droplet or another private address is another machine; the rest can change on the one there is. */
const replacing = ["cluster", "defaultAddrPool", "dropletId", "privateIp"];

/** See `Node` in `sdk.ts`. */
export const Node: Resource = {
  check: (inputs) => shape.checkWith(inputsSchema, inputs),

  diff: (before, after) => {
    const changed = changedKeys(before, after);
    const replaces = changed.filter((key) => replacing.includes(key));
    return {
      changed,
      replaces,
      // The same machine cannot be in two swarms at once.
      deleteBeforeReplace: replaces.length > 0 && before["dropletId"] === after["dropletId"],
    };
  },

  preview: (inputs, state) => ({
    ...inputs,
    nodeId: state?.["nodeId"] ?? UNKNOWN,
    hostKey: state?.["hostKey"] ?? UNKNOWN,
    address: inputs["privateIp"],
    connection: state
      ? outputConnection(inputs, String(state["hostKey"]))
      : { ...outputConnection(inputs, UNKNOWN) },
  }),

  create: async (rawInputs, context) => {
    const inputs = inputsSchema.parse(rawInputs);
    const address = { host: inputs.host, port: inputs.port ?? 22 };
    const first = await firstContact(address, inputs.bootHostKey, context, BOOT_SECONDS);
    let hostKey = first.hostKey;
    try {
      await waitForCloudInit(first.connection, context);
      if (first.isBootKey) hostKey = await rotateHostKey(first.connection);
    } finally {
      first.connection.close();
    }
    // sshd may still show the boot key for a moment after it was told to reload.
    const connection = await connectPatiently(toConnection(inputs, hostKey), context, 60, {
      hostKeyIsChanging: true,
    });
    const engine = await prepareMachine(connection, inputs, hostKey, context);
    const nodeId = await ensureMember(
      engine,
      {
        clusterId: inputs.cluster,
        role: inputs.role,
        privateIp: inputs.privateIp,
        defaultAddrPool: inputs.defaultAddrPool,
        peers: inputs.peers ?? [],
      },
      context,
    );
    await settle(engine, nodeId, inputs, {}, context);
    return { id: nodeId, state: outputs(rawInputs, nodeId, hostKey) };
  },

  read: async (id, state, inputs, context) => {
    const { hostKey } = stateSchema.parse(state);
    const given = inputsSchema.parse(inputs);
    try {
      const connection = await withinSeconds(
        GONE_SECONDS,
        connect(toConnection(given, hostKey), GONE_SECONDS),
      );
      const actual = await withinSeconds(
        GONE_SECONDS,
        actualInputs(connection, id, given, context),
      );
      if (!actual) return undefined;
      return { state: { ...state, ...actual }, inputs: { ...inputs, ...actual } };
    } catch (error) {
      if (
        error instanceof HostKeyMismatch &&
        formatPublicKey(error.presented) === bareKey(given.bootHostKey)
      ) {
        context.log.warn(`${given.name} shows its one-time host key again: it was rebuilt`);
        return undefined;
      }
      // Whether it is gone is for its Droplet to say; an error here would stop the refresh that tells.
      context.log.warn(
        `${given.name} cannot be asked, its last known state is kept: ${messageOf(error)}`,
      );
      return { state, inputs };
    }
  },

  update: async (id, state, before, after, context) => {
    const { hostKey } = stateSchema.parse(state);
    const inputs = inputsSchema.parse(after);
    const target = toConnection(inputs, hostKey);
    // A resized Droplet was switched off and on: the connection of before is dead without knowing it.
    disconnect(target);
    const connection = await connectPatiently(target, context, BOOT_SECONDS);
    const engine = await prepareMachine(connection, inputs, hostKey, context);
    const { NodeID } = await waitUntilActive(engine, context);
    if (NodeID !== id) {
      throw new Error(
        `${inputs.name} left the swarm and came back as ${NodeID}: run "pulumi refresh", then "pulumi up"`,
      );
    }
    await settle(engine, id, inputs, labels.catch({}).parse(before["labels"]), context);
    return outputs(after, id, hostKey);
  },

  delete: async (id, state, inputs, context) => {
    const { hostKey } = stateSchema.parse(state);
    const given = inputsSchema.parse(inputs);
    let connection: SshConnection;
    try {
      connection = await connectPatiently(toConnection(given, hostKey), context, GONE_SECONDS);
    } catch (error) {
      context.signal.throwIfAborted();
      context.log.warn(`${given.name} does not answer and is taken as gone: ${messageOf(error)}`);
      await forgetDeadNode(id, given.peers ?? [], context);
      return;
    }
    await inTurn(() => leaveSwarm(dockerEngine(connection), id, given.peers ?? [], context));
    if (given.volume) await releaseVolume(connection, given.volume, context);
    disconnect(toConnection(given, hostKey));
  },
};

/** Keys, Volume and engine as `inputs` want them; each step looks first, so that a second run only finishes the first. */
async function prepareMachine(
  connection: SshConnection,
  inputs: NodeInputs,
  hostKey: string,
  context: Context,
): Promise<Docker> {
  if (inputs.authorizedKeys) {
    await writeAuthorizedKeys(connection, hostKey, inputs.authorizedKeys, context);
  }
  if (inputs.volume) await ensureVolume(connection, inputs.volume, context);
  return waitForEngine(connection, context, 120);
}

/** Waits until the swarm takes the node as ready, then gives it its role and labels. */
async function settle(
  engine: Docker,
  nodeId: string,
  inputs: NodeInputs,
  labelsBefore: Readonly<Record<string, string>>,
  context: Context,
): Promise<void> {
  const { ControlAvailable } = await swarmInfoOf(engine);
  const manager = ControlAvailable
    ? engine
    : (await livingManager(inputs.peers ?? [], context)).engine;
  await waitUntilReady(manager, nodeId, context);
  await ensureNodeSpec(manager, nodeId, inputs.role, inputs.labels ?? {}, labelsBefore, context);
}

/** The inputs that differ in reality, with their real values; `undefined` when the node is no member any more. */
async function actualInputs(
  connection: SshConnection,
  id: string,
  given: NodeInputs,
  context: Context,
): Promise<Partial<NodeInputs> | undefined> {
  const engine = dockerEngine(connection);
  const info = await swarmInfoOf(engine);
  if (info.LocalNodeState === "inactive") return undefined;
  if (info.LocalNodeState !== "active") {
    throw new Error(`its swarm is ${info.LocalNodeState || "not there"} ${info.Error}`.trim());
  }
  if (info.NodeID !== id) return undefined;

  const actual: { -readonly [K in keyof NodeInputs]?: NodeInputs[K] } = {};
  if (given.authorizedKeys && !(await hasAuthorizedKeys(connection, given.authorizedKeys))) {
    const file = (await connection.readFile("/root/.ssh/authorized_keys")) ?? "";
    actual.authorizedKeys = file.split("\n").filter((line) => line.trim() !== "");
  }
  const manager = info.ControlAvailable
    ? engine
    : (await livingManager(given.peers ?? [], context)).engine;
  const { Spec } = await inspectNode(manager, id);
  if (Spec.Role !== given.role) actual.role = Spec.Role;
  const wanted = given.labels ?? {};
  const found = Object.fromEntries(
    Object.entries(Spec.Labels ?? {}).filter(([key]) => key in wanted),
  );
  if (canonicalJson(found) !== canonicalJson(wanted)) actual.labels = found;
  return actual;
}

function toConnection(inputs: Pick<NodeInputs, "host" | "port">, hostKey: string): Connection {
  return { host: inputs.host, port: inputs.port ?? 22, user: "root", hostKey };
}

function outputs(inputs: Properties, nodeId: string, hostKey: string): Properties {
  return {
    ...inputs,
    nodeId,
    hostKey,
    address: inputs["privateIp"],
    connection: outputConnection(inputs, hostKey),
  };
}

function outputConnection(inputs: Properties, hostKey: string): Properties {
  return { host: inputs["host"], port: inputs["port"] ?? 22, user: "root", hostKey };
}

function bareKey(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(" ");
}

async function withinSeconds<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(
          () => reject(new Error(`no answer within ${seconds} s`)),
          seconds * 1000,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

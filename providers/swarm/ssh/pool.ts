import type { Context } from "../protocol/resource";
import { messageOf, waitUntil, type Attempt } from "../wait";
import { BastionError, closeBastions, openConnection } from "./bastion";
import {
  HostKeyMismatch,
  LoginRefused,
  type Address,
  type JumpHost,
  type SshConnection,
} from "./connection";
import { parsePublicKey } from "./host-keys";

/** How to reach a node: what `Node` gives out and `Job` and `Rollout` take. */
export interface Connection {
  /** Public IPv4 address or name; behind a bastion the private address. */
  readonly host: string;
  /** @default 22 */
  readonly port?: number;
  /** @default "root" */
  readonly user?: "root";
  /** The only host key that is accepted: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** For a node without a public address. @default none: it is reached directly */
  readonly bastion?: JumpHost | undefined;
}

/** One connection a node, kept for the life of this process: sshd refuses many at once (MaxStartups). */
const connections = new Map<string, Promise<SshConnection>>();

/** The node's connection, opened if there is none. @throws as `SshConnection.open` does. */
export function connect(connection: Connection, timeoutSeconds: number): Promise<SshConnection> {
  const key = poolKey(connection);
  const existing = connections.get(key);
  if (existing) return existing;
  const expected = parsePublicKey(connection.hostKey);
  const opening = openConnection(
    addressOf(connection),
    (presented) => presented.equals(expected),
    timeoutSeconds,
  );
  const forget = () => {
    if (connections.get(key) === opening) connections.delete(key);
  };
  connections.set(key, opening);
  opening.then((opened) => opened.onClose(forget), forget);
  return opening;
}

/**
 * `connect`, tried again while the node boots or its address moves.
 *
 * @throws {Error} at once for a refused login and, unless `hostKeyIsChanging`, for another host key: waiting mends neither.
 */
export function connectPatiently(
  connection: Connection,
  context: Context,
  timeoutSeconds: number,
  { hostKeyIsChanging = false } = {},
): Promise<SshConnection> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  return waitUntil<SshConnection>(
    { what: `SSH on ${connection.host}`, timeoutSeconds, context },
    async (): Promise<Attempt<SshConnection>> => {
      const attemptSeconds = Math.min(10, Math.max(1, (deadline - Date.now()) / 1000));
      try {
        return { done: await connect(connection, attemptSeconds) };
      } catch (error) {
        if (error instanceof LoginRefused) throw error;
        if (error instanceof BastionError && error.isFinal) throw error;
        if (error instanceof HostKeyMismatch && !hostKeyIsChanging) throw error;
        return { pending: messageOf(error) };
      }
    },
  );
}

/** Closes the node's connection, so that the next use opens a fresh one: after a reboot the old one is dead. */
export function disconnect(connection: Connection): void {
  const key = poolKey(connection);
  const existing = connections.get(key);
  connections.delete(key);
  existing?.then(
    (opened) => opened.close(),
    () => undefined,
  );
}

/** Closes every connection, those to bastions last. */
export function closeConnections(): void {
  for (const opening of connections.values()) {
    opening.then(
      (opened) => opened.close(),
      () => undefined,
    );
  }
  connections.clear();
  closeBastions();
}

export function addressOf(connection: Omit<Connection, "hostKey">): Address {
  const { host, port = 22, bastion } = connection;
  return { host, port, ...(bastion && { bastion }) };
}

/** Private addresses are those of one network only: a node is told from others by its bastion as well. */
function poolKey({ host, port = 22, hostKey, bastion }: Connection): string {
  const node = `${host}:${port} ${hostKey}`;
  return bastion ? `${node} by ${bastion.host} ${bastion.hostKey}` : node;
}

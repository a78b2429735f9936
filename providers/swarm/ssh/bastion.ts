import type { Duplex } from "node:stream";
import { messageOf, withinSeconds } from "../wait";
import {
  HostKeyMismatch,
  LoginRefused,
  SshConnection,
  type Address,
  type Endpoint,
  type HostKeyCheck,
  type JumpHost,
} from "./connection";
import { parsePublicKey } from "./host-keys";

/**
 * The way to nodes without a public address: one connection to a machine that has one, and through it a channel to the
 * node's SSH server, as of `ssh -J`. The node's host key is checked at this end and the login is made from here, so that
 * the bastion sees neither keys nor what is said, and no agent is forwarded to it.
 */

const REMEDY =
  ". Is its Droplet on? If it is gone, `up` makes another one, in the cloud after `npm run heal -- <stack>`";

/** The bastion is at fault, and says nothing of the nodes behind it. */
export class BastionError extends Error {
  override readonly name = "BastionError";
  constructor(
    reason: unknown,
    { host }: JumpHost,
    /** Waiting does not mend it. */
    readonly isFinal: boolean,
  ) {
    super(
      `the bastion (${host}) does not let through: ${messageOf(reason)}${isFinal ? "" : REMEDY}`,
      { cause: reason },
    );
  }
}

/** One connection a bastion, shared by all nodes behind it. */
const bastions = new Map<string, Promise<SshConnection>>();

/**
 * `SshConnection.open`, through the bastion if the address has one.
 *
 * @throws {HostKeyMismatch} @throws {LoginRefused} of the node itself. @throws {BastionError}
 * @throws {Error} when the node does not answer within `timeoutSeconds`.
 */
export async function openConnection(
  address: Address,
  isHostKey: HostKeyCheck,
  timeoutSeconds: number,
): Promise<SshConnection> {
  const { bastion } = address;
  if (bastion === undefined) return SshConnection.open(address, isHostKey, timeoutSeconds);
  const through = await connectBastion(bastion, timeoutSeconds);
  const socket = await channelTo(address, through, timeoutSeconds);
  return SshConnection.open(address, isHostKey, timeoutSeconds, socket);
}

/** The connection to a bastion, opened if there is none. @throws {BastionError} */
export async function connectBastion(
  bastion: JumpHost,
  timeoutSeconds: number,
): Promise<SshConnection> {
  const { host, port = 22, hostKey } = bastion;
  const key = `${host}:${port} ${hostKey}`;
  let opening = bastions.get(key);
  if (!opening) {
    const expected = parsePublicKey(hostKey);
    const isHostKey = (presented: Buffer) => presented.equals(expected);
    const attempt = SshConnection.open({ host, port }, isHostKey, timeoutSeconds);
    const forget = () => {
      if (bastions.get(key) === attempt) bastions.delete(key);
    };
    bastions.set(key, attempt);
    attempt.then((opened) => opened.onClose(forget), forget);
    opening = attempt;
  }
  try {
    return await opening;
  } catch (error) {
    const isFinal = error instanceof HostKeyMismatch || error instanceof LoginRefused;
    throw new BastionError(error, bastion, isFinal);
  }
}

export function closeBastions(): void {
  for (const opening of bastions.values()) {
    opening.then(
      (opened) => opened.close(),
      () => undefined,
    );
  }
  bastions.clear();
}

/** A node that is off answers nothing: its channel is given up, and closed should it open after all. */
async function channelTo(
  node: Endpoint,
  bastion: SshConnection,
  timeoutSeconds: number,
): Promise<Duplex> {
  const opening = bastion.openTcp(node);
  try {
    return await withinSeconds(timeoutSeconds, opening);
  } catch (error) {
    opening.then(
      (late) => late.destroy(),
      () => undefined,
    );
    throw new Error(`${node.host} behind the bastion: ${messageOf(error)}`, { cause: error });
  }
}

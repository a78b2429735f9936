import type { Context } from "../protocol/resource";
import { BastionError, openConnection } from "../ssh/bastion";
import { HostKeyMismatch, LoginRefused, type Address, type SshConnection } from "../ssh/connection";
import { formatPublicKey, isSignedBy, parsePublicKey } from "../ssh/host-keys";
import { messageOf, waitUntil, type Attempt } from "../wait";

/**
 * How a node's permanent SSH host key comes to be trusted.
 *
 * User data carries a one-time host key (the boot key). Over the connection that it authenticates, the node makes its
 * permanent key, signs the public half with the boot key (`ssh-keygen -Y sign`, the *introduction*), puts the permanent
 * key in sshd's place and erases the boot key. Only the public half ever leaves the node; it is pinned from then on.
 *
 * Should the operator's process die between that and saving the state, the next run knows only the boot key while the
 * node shows the permanent one. It then accepts the introduction and nothing else: a signature by the boot key over
 * exactly the key that the server proved to hold in the key exchange. To read the introduction one logs in to a server not yet
 * verified, which tells it nothing of use: an SSH login is bound to that one session and cannot be passed on.
 *
 * So only who holds the boot key can introduce a permanent key. User data stays readable on the node, but once a
 * permanent key is in state the boot key and introductions made with it mean nothing any more.
 */

const NAMESPACE = "archipelago-host-key";
const INTRODUCTION = "/etc/ssh/archipelago-introduction";

/** While cloud-init still sets up keys, sshd may show another one or not know the operator. */
const SETTLING_SECONDS = 60;

/** A first connection to a node, with the host key that it was verified by. */
export interface FirstContact {
  readonly connection: SshConnection;
  readonly hostKey: string;
  /** The boot key is still in use: `rotateHostKey` must follow. */
  readonly isBootKey: boolean;
}

/**
 * Waits for the node's SSH server and verifies it by its boot key or by an introduction.
 *
 * @throws {BastionError} when its bastion cannot be trusted.
 * @throws {HostKeyMismatch} @throws {LoginRefused} when that is still the answer after `settlingSeconds`.
 */
export async function firstContact(
  address: Address,
  bootHostKey: string,
  context: Context,
  timeoutSeconds: number,
  settlingSeconds = SETTLING_SECONDS,
): Promise<FirstContact> {
  const bootKey = parsePublicKey(bootHostKey);
  let refusedSince: number | undefined;
  return waitUntil(
    { what: `SSH on ${context.name} (${address.host})`, timeoutSeconds, context },
    async (): Promise<Attempt<FirstContact>> => {
      try {
        const connection = await openConnection(address, (key) => key.equals(bootKey), 10);
        return {
          done: { connection, hostKey: formatPublicKey(bootKey), isBootKey: true },
        };
      } catch (error) {
        if (error instanceof BastionError && error.isFinal) throw error;
        let reason = error;
        try {
          if (error instanceof HostKeyMismatch && (await isIntroduced(address, error, bootKey))) {
            const permanent = error.presented;
            const connection = await openConnection(address, (key) => key.equals(permanent), 10);
            return {
              done: { connection, hostKey: formatPublicKey(permanent), isBootKey: false },
            };
          }
        } catch (second) {
          reason = second;
        }
        if (error instanceof HostKeyMismatch || error instanceof LoginRefused) {
          refusedSince ??= Date.now();
          if (Date.now() - refusedSince >= settlingSeconds * 1000) throw error;
        } else {
          refusedSince = undefined;
        }
        return { pending: messageOf(reason) };
      }
    },
  );
}

/** Whether the server at `address` holds a signature by `bootKey` over the very key that it shows. */
async function isIntroduced(
  address: Address,
  mismatch: HostKeyMismatch,
  bootKey: Buffer,
): Promise<boolean> {
  const presented = mismatch.presented;
  const unverified = await openConnection(address, (key) => key.equals(presented), 10);
  try {
    const signature = await unverified.readFile(INTRODUCTION);
    const message = Buffer.from(`${formatPublicKey(presented)}\n`);
    return signature !== undefined && isSignedBy(bootKey, NAMESPACE, message, signature);
  } finally {
    unverified.close();
  }
}

/**
 * Replaces the boot key of the node by a permanent one made there; a second call changes nothing.
 *
 * @returns the permanent public key.
 */
export async function rotateHostKey(connection: SshConnection): Promise<string> {
  const line = await connection.output("the exchange of the SSH host key", ROTATE, 60);
  return formatPublicKey(parsePublicKey(line));
}

/**
 * Each line may be the last one before a power cut: the introduction is complete before the permanent key takes its
 * place, and sshd is told last. The lock keeps out a run whose operator has gone.
 */
const ROTATE = `
exec 9>/run/archipelago-host-key.lock
flock -w 30 9
cd /etc/ssh
key=ssh_host_ed25519_key
if ! [ -s archipelago-introduction ]; then
  rm -f archipelago-next*
  ssh-keygen -q -t ed25519 -N '' -C '' -f archipelago-next </dev/null
  cut -d ' ' -f 1,2 archipelago-next.pub > archipelago-next.line
  ssh-keygen -q -Y sign -f "$key" -n ${NAMESPACE} archipelago-next.line 2>/dev/null
  sync
  mv archipelago-next.line.sig archipelago-introduction
fi
if [ -e archipelago-next ]; then
  cp archipelago-next.line "$key.pub"
  mv archipelago-next "$key"
  sync
fi
rm -f archipelago-next*
systemctl reload-or-restart ssh >&2
cut -d ' ' -f 1,2 "$key.pub"
`;

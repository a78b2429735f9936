import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { SshConnection } from "../ssh/connection";
import { formatPublicKey } from "../ssh/host-keys";

/**
 * How a member whose host key nobody remembers proves that it belongs to the swarm: it holds a signature, by the key that
 * the swarm got when it started, over the swarm's ID and its own host key. It is no secret: only the machine that holds the
 * private host key can make use of it.
 */

const FILE = "/etc/ssh/archipelago-member";

/** @returns the private key (Ed25519, PKCS #8 in PEM) that a swarm signs its members' host keys with. Secret. */
export function makeSigningKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Leaves the proof on the member; one that is there already stays. */
export async function writeProof(
  connection: SshConnection,
  { clusterId, clusterKey }: { readonly clusterId: string; readonly clusterKey: string },
  hostKey: string,
): Promise<void> {
  const signature = sign(null, message(clusterId, hostKey), createPrivateKey(clusterKey));
  const line = `${signature.toString("base64")}\n`;
  if ((await connection.readFile(FILE)) === line) return;
  await connection.output(
    "writing the proof of membership",
    `cat > ${FILE}.next <<'PROOF'\n${line}PROOF\nmv ${FILE}.next ${FILE}\n`,
  );
}

/**
 * Whether the server behind `unverified` is a member. All that it learns is that somebody asked.
 *
 * @param presented the host key that it proved to hold in the key exchange.
 */
export async function isProven(
  unverified: SshConnection,
  { clusterId, clusterKey }: { readonly clusterId: string; readonly clusterKey: string },
  presented: Buffer,
): Promise<boolean> {
  const signature = Buffer.from((await unverified.readFile(FILE)) ?? "", "base64");
  return verify(
    null,
    message(clusterId, formatPublicKey(presented)),
    createPublicKey(clusterKey),
    signature,
  );
}

function message(clusterId: string, hostKey: string): Buffer {
  return Buffer.from(`archipelago-member\n${clusterId}\n${hostKey.trim()}\n`);
}

/** Signs as `ssh-keygen -Y sign` does, for machines without it. https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig */
import { createHash } from "node:crypto";
import { utils } from "ssh2";

export function sshSign(privateKey: string, namespace: string, message: string): string {
  const key = utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  const hash = createHash("sha512").update(message).digest();
  const common = [namespace, "", "sha512"].map(lengthPrefixed);
  const signed = Buffer.concat([Buffer.from("SSHSIG"), ...common, lengthPrefixed(hash)]);
  const raw = key.sign(signed);
  if (raw instanceof Error) throw raw;
  const signature = Buffer.concat([lengthPrefixed("ssh-ed25519"), lengthPrefixed(raw)]);
  const blob = Buffer.concat([
    Buffer.from("SSHSIG\0\0\0\x01"),
    lengthPrefixed(key.getPublicSSH()),
    ...common,
    lengthPrefixed(signature),
  ]);
  return `-----BEGIN SSH SIGNATURE-----\n${blob.toString("base64")}\n-----END SSH SIGNATURE-----\n`;
}

function lengthPrefixed(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

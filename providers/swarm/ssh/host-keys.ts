import { createHash, createPublicKey, verify } from "node:crypto";

/** Why two public host keys are compared as bytes: a pinned key leaves no choice to `known_hosts` or to the first use. */

const ED25519 = "ssh-ed25519";

/**
 * The key blob of an OpenSSH public key line `ssh-ed25519 AAAA… [comment]`.
 *
 * @throws {Error} when the line is anything else.
 */
export function parsePublicKey(line: string): Buffer {
  const [type, base64 = ""] = line.trim().split(/\s+/);
  const blob = Buffer.from(base64, "base64");
  const reader = new Reader(blob);
  if (type !== ED25519 || blob.toString("base64") !== base64) throw malformedKey(line);
  try {
    if (reader.string().toString() !== ED25519 || reader.string().length !== 32 || !reader.atEnd) {
      throw malformedKey(line);
    }
  } catch {
    throw malformedKey(line);
  }
  return blob;
}

/** `ssh-ed25519 AAAA…` without a comment. */
export function formatPublicKey(blob: Buffer): string {
  return `${keyType(blob)} ${blob.toString("base64")}`;
}

/** `SHA256:…`, as `ssh-keygen -l` prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** Whether `ssh-keygen -Y sign -n <namespace>` with the private half of `signer` made `armored` over `message`. */
export function isSignedBy(
  signer: Buffer,
  namespace: string,
  message: Buffer,
  armored: string,
): boolean {
  try {
    return verifySignature(signer, namespace, message, armored);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Format: OpenSSH PROTOCOL.sshsig, https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig */
function verifySignature(
  signer: Buffer,
  namespace: string,
  message: Buffer,
  armored: string,
): boolean {
  const body = /-----BEGIN SSH SIGNATURE-----([\s\S]*?)-----END SSH SIGNATURE-----/.exec(armored);
  if (!body?.[1]) return false;
  const reader = new Reader(Buffer.from(body[1], "base64"));
  const magic = reader.bytes(6).toString();
  const version = reader.uint32();
  const publicKey = reader.string();
  const signedNamespace = reader.string();
  const reserved = reader.string();
  const hashAlgorithm = reader.string();
  const signature = new Reader(reader.string());
  if (magic !== "SSHSIG" || version !== 1 || !publicKey.equals(signer)) return false;
  if (signedNamespace.toString() !== namespace) return false;
  const hash = hashAlgorithm.toString();
  if (hash !== "sha512" && hash !== "sha256") return false;
  if (signature.string().toString() !== ED25519) return false;
  const signed = Buffer.concat([
    Buffer.from("SSHSIG"),
    ...[signedNamespace, reserved, hashAlgorithm, createHash(hash).update(message).digest()].map(
      lengthPrefixed,
    ),
  ]);
  return verify(null, signed, ed25519Key(signer), signature.string());
}

function ed25519Key(blob: Buffer) {
  const reader = new Reader(blob);
  reader.string();
  return createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: reader.string().toString("base64url") },
    format: "jwk",
  });
}

function keyType(blob: Buffer): string {
  return new Reader(blob).string().toString();
}

function lengthPrefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function malformedKey(line: string): Error {
  const got = line.includes("PRIVATE KEY") ? "a private key" : JSON.stringify(line);
  return new Error(`must be one OpenSSH public key "ssh-ed25519 AAAA…", got ${got}`);
}

/** Reads SSH's wire format (RFC 4251 §5). @throws {RangeError} past the end. */
class Reader {
  private offset = 0;

  constructor(private readonly buffer: Buffer) {}

  get atEnd(): boolean {
    return this.offset === this.buffer.length;
  }

  bytes(length: number): Buffer {
    if (this.offset + length > this.buffer.length) throw new RangeError("truncated");
    return this.buffer.subarray(this.offset, (this.offset += length));
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  string(): Buffer {
    return this.bytes(this.uint32());
  }
}

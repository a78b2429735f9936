import { createHash } from "node:crypto";
import type { Store } from "../store";

export interface SshKeyRecord {
  readonly id: number;
  readonly name: string;
  /** OpenSSH line. */
  readonly publicKey: string;
  /** MD5, as colon-separated hex. */
  readonly fingerprint: string;
}

/** @returns the MD5 fingerprint of an OpenSSH public key, or undefined when the text is none. */
export function fingerprintOf(publicKey: string): string | undefined {
  const [type, encoded] = publicKey.trim().split(/\s+/);
  if (!type || !encoded || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const blob = Buffer.from(encoded, "base64");
  if (blob.length < 4) return undefined;
  const length = blob.readUInt32BE(0);
  if (blob.subarray(4, 4 + length).toString("latin1") !== type) return undefined;
  const digest = createHash("md5").update(blob).digest("hex");
  return digest.match(/../g)?.join(":");
}

/** A key by id or fingerprint. */
export function findSshKey(store: Store, idOrFingerprint: string | number) {
  const text = String(idOrFingerprint);
  return /^\d+$/.test(text)
    ? store.sshKeys.get(Number(text))
    : store.sshKeys.find((key) => key.fingerprint === text.toLowerCase());
}

export const sshKeyView = (key: SshKeyRecord) => ({
  id: key.id,
  fingerprint: key.fingerprint,
  public_key: key.publicKey,
  name: key.name,
});

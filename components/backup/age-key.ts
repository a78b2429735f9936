import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";

/** age's keys: X25519, written in Bech32. https://age-encryption.org/v1 https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki */

const CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CHECKSUM_LENGTH = 6;
const PUBLIC = "age";
const SECRET = "age-secret-key-";

/** PKCS #8 of an X25519 key, without the key. https://www.rfc-editor.org/rfc/rfc8410 */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

export interface AgeKey {
  /** `AGE-SECRET-KEY-1…`: secret. */
  readonly identity: string;
  /** `age1…`: encrypts, and no more. */
  readonly recipient: string;
}

export function newAgeKey(): AgeKey {
  const { privateKey } = generateKeyPairSync("x25519");
  const key = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const identity = encode(SECRET, key).toUpperCase();
  return { identity, recipient: recipientOf(identity) };
}

/**
 * The public half of an identity.
 *
 * @param text an identity, or a whole identity file with comments.
 * @throws {Error} when there is none in it, or a mistyped one; the message does not repeat it.
 */
export function recipientOf(text: string): string {
  const key = decode(SECRET, identityIn(text).toLowerCase());
  if (key === undefined) throw new Error("the age identity is mistyped or cut short");
  const der = Buffer.concat([PKCS8_PREFIX, key]);
  const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const point = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32);
  return encode(PUBLIC, point);
}

/** @throws {Error} when the text holds no age identity. */
export function identityIn(text: string): string {
  const found = /^AGE-SECRET-KEY-1\S+/im.exec(text)?.[0];
  if (found === undefined) throw new Error("there is no age identity (AGE-SECRET-KEY-1…) in it");
  return found;
}

/** Whether a text is a public key without a typing mistake. */
export const isRecipient = (text: string) => decode(PUBLIC, text) !== undefined;

function encode(prefix: string, bytes: Uint8Array): string {
  const data = regroup(bytes, 8, 5, true);
  const check = checksum([...expand(prefix), ...data, 0, 0, 0, 0, 0, 0]) ^ 1;
  const tail = [0, 1, 2, 3, 4, 5].map((index) => (check >> (5 * (5 - index))) & 31);
  return `${prefix}1${[...data, ...tail].map((value) => CHARSET[value]).join("")}`;
}

/** @returns the 32 bytes; undefined when the prefix, the length or the checksum is another one. */
function decode(prefix: string, text: string): Buffer | undefined {
  if (!text.startsWith(`${prefix}1`)) return undefined;
  const values = [...text.slice(prefix.length + 1)].map((letter) => CHARSET.indexOf(letter));
  if (values.includes(-1) || checksum([...expand(prefix), ...values]) !== 1) return undefined;
  const bytes = regroup(values.slice(0, -CHECKSUM_LENGTH), 5, 8, false);
  return bytes.length === 32 ? Buffer.from(bytes) : undefined;
}

const expand = (prefix: string) => [
  ...[...prefix].map((letter) => letter.charCodeAt(0) >> 5),
  0,
  ...[...prefix].map((letter) => letter.charCodeAt(0) & 31),
];

function checksum(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    GENERATORS.forEach((generator, bit) => {
      if ((top >>> bit) & 1) sum ^= generator;
    });
  }
  return sum >>> 0;
}

function regroup(values: Iterable<number>, from: number, to: number, pad: boolean): number[] {
  const result: number[] = [];
  let held = 0;
  let bits = 0;
  for (const value of values) {
    held = ((held << from) | value) & 0xfff;
    bits += from;
    while (bits >= to) {
      bits -= to;
      result.push((held >> bits) & ((1 << to) - 1));
    }
  }
  if (pad && bits > 0) result.push((held << (to - bits)) & ((1 << to) - 1));
  return result;
}

import { utils } from "ssh2";

export interface KeyPair {
  /** OpenSSH PEM. */
  readonly private: string;
  /** `ssh-ed25519 AAAA…`, and the comment. */
  readonly public: string;
}

/**
 * A new Ed25519 key pair. ssh2 1.17 loses a leading zero byte of the public key, so that one pair in 256 cannot be read
 * by anybody (mscdex/ssh2#1390, #1513): such a pair is thrown away.
 */
export function generateKeyPair(comment = ""): KeyPair {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519", { comment });
    const halves = [pair.private, pair.public].map((half) => utils.parseKey(half));
    if (!halves.some((half) => half instanceof Error))
      return { private: pair.private, public: pair.public.trim() };
  }
}

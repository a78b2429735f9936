import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Compares tokens in a time that says nothing about them. */
export class Tokens {
  private readonly digests: readonly Buffer[];

  /** @param tokens those that are let in; at least one. */
  constructor(tokens: readonly string[]) {
    this.digests = tokens.filter((token) => token !== "").map(digest);
    if (this.digests.length === 0) throw new Error("the local API needs at least one token");
  }

  /** @param header value of `authorization`: `Bearer <token>`. */
  accept(header: string | undefined): boolean {
    const [, token = ""] = /^Bearer +(\S+)$/i.exec(header ?? "") ?? [];
    const given = digest(token);
    return this.digests.map((each) => timingSafeEqual(each, given)).includes(true);
  }
}

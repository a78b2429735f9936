import { createHash } from "node:crypto";

/** The only form in which user data and certificates are kept in state (P util/hash.go: HashStringStateFunc). */
export const hashed = (value: string): string => createHash("sha1").update(value).digest("hex");

/** Where the local DigitalOcean keeps its things; the only place that decides it. */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import * as path from "node:path";

export const checkout = path.resolve(__dirname, "..");

/** State of one local DigitalOcean: `$ARCHIPELAGO_LOCAL_DIR`, default `.local` in the checkout. */
export function localDir(): string {
  return path.resolve(checkout, process.env.ARCHIPELAGO_LOCAL_DIR ?? ".local");
}

/** What all checkouts of this user share (the engine): `$ARCHIPELAGO_CACHE`, default `~/.cache/archipelago`. */
export function cacheDir(): string {
  return path.resolve(
    process.env.ARCHIPELAGO_CACHE ??
      path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "archipelago"),
  );
}

/** Six hex characters that mark what belongs to this local DigitalOcean, in Docker and in the kernel. */
export function instanceId(dir = localDir()): string {
  return createHash("sha256").update(dir).digest("hex").slice(0, 6);
}

/** Loopback /16 out of which this local DigitalOcean gives public addresses: 127.16.0.0 to 127.250.0.0. */
export function publicPool(instance = instanceId()): string {
  return `127.${16 + (parseInt(instance, 16) % 235)}.0.0/16`;
}

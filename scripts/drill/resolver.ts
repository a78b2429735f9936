/** A resolver that honours a record's time to live, as a careful one on the internet does. */

/** An A record as it is in the zone. */
export interface AddressRecord {
  readonly address: string;
  readonly ttlSeconds: number;
}

/**
 * Looks a name up, and keeps what it was told for exactly as long as it may.
 *
 * @param ask the zone's server.
 * @returns the address to connect to, asked for at each request.
 */
export function resolver(
  ask: () => Promise<AddressRecord>,
  now: () => number = Date.now,
): () => Promise<string> {
  let known: { readonly record: Promise<AddressRecord>; readonly until: number } | undefined;
  return async () => {
    if (known === undefined || now() >= known.until) {
      const record = ask();
      // Whoever asks meanwhile waits for the same answer.
      known = { record, until: Infinity };
      try {
        known = { record, until: now() + (await record).ttlSeconds * 1000 };
      } catch (error) {
        known = undefined;
        throw error;
      }
    }
    return (await known.record).address;
  };
}

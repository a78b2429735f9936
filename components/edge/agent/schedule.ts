/** When to ask for certificates, and how long to wait after a failure. Pure: times are epoch milliseconds. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * First wait after a failure. Doubling from two minutes makes five attempts in the first hour, which is what Let's
 * Encrypt allows for failed validations (https://letsencrypt.org/docs/rate-limits/).
 */
const FIRST_WAIT = 2 * MINUTE;
const LONGEST_WAIT = 6 * HOUR;

export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * When to renew: after two thirds of the lifetime, up to a thirtieth later so that many nodes do not ask at once.
 *
 * @param jitter 0 to 1, fixed for one certificate so that a restart does not move its date.
 */
export function renewalTime({ notBefore, notAfter }: Validity, jitter: number): number {
  const lifetime = notAfter - notBefore;
  return notBefore + lifetime * (2 / 3 + jitter / 30);
}

/**
 * How long to wait after the nth failure in a row: 2, 4, 8 … minutes up to 6 hours, a fifth more at random, and never
 * less than the server asked for.
 *
 * @param failures 1 after the first failure.
 * @param jitter 0 to 1.
 * @param retryAfter Milliseconds from the server's Retry-After. @default 0
 */
export function waitAfterFailure(failures: number, jitter: number, retryAfter = 0): number {
  const backoff = Math.min(FIRST_WAIT * 2 ** Math.max(0, failures - 1), LONGEST_WAIT);
  return Math.max(backoff * (1 + jitter / 5), retryAfter);
}

/** Milliseconds meant by a Retry-After header: seconds or an HTTP date; 0 when absent or past (RFC 9110 §10.2.3). */
export function retryAfterMs(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

/** Whole and tenths of days until a certificate ends; negative once it has. */
export function daysLeft({ notAfter }: Pick<Validity, "notAfter">, now: number): number {
  return Math.round(((notAfter - now) / (24 * HOUR)) * 10) / 10;
}

export type AlarmSeverity = "warning" | "critical";

/**
 * How bad a failure is: critical once the certificate has less than a tenth of its lifetime left (nine days of Let's
 * Encrypt's ninety) or none was ever issued after five attempts; else a warning.
 */
export function alarmSeverity(
  validity: Validity | undefined,
  failures: number,
  now: number,
): AlarmSeverity {
  if (!validity) return failures >= 5 ? "critical" : "warning";
  const left = (validity.notAfter - now) / (validity.notAfter - validity.notBefore);
  return left < 0.1 ? "critical" : "warning";
}

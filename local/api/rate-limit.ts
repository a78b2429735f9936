/** https://docs.digitalocean.com/reference/api/ "Rate Limit" */
export interface RateLimit {
  /** @default 5000 */
  readonly perHour: number;
  /** @default 250 */
  readonly perMinute: number;
}

export const digitalOceanRateLimit: RateLimit = { perHour: 5000, perMinute: 250 };

const minute = 60_000;
const hour = 60 * minute;

export interface Verdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds since the epoch when the oldest request stops counting. */
  readonly reset: number;
  /** Seconds until a request would be let through; 0 when this one was. */
  readonly retryAfter: number;
}

/** Counts requests in two sliding windows. Refused ones do not count. */
export class RateLimiter {
  private readonly times: number[] = [];
  /** Requests let through since the start. */
  total = 0;

  /** @param enforced whether requests over the limit are refused, or only counted. */
  constructor(
    private readonly limit: RateLimit,
    private readonly enforced: boolean,
    private readonly now: () => number,
  ) {}

  /** Counts a request. */
  take(): Verdict {
    const verdict = this.look(true);
    if (verdict.allowed) this.total += 1;
    return verdict;
  }

  /** The same without counting. */
  peek(): Verdict {
    return this.look(false);
  }

  private look(counts: boolean): Verdict {
    const now = this.now();
    const fresh = this.times.findIndex((time) => time > now - hour);
    this.times.splice(0, fresh === -1 ? this.times.length : fresh);
    const waits = [
      this.wait(now, hour, this.limit.perHour),
      this.wait(now, minute, this.limit.perMinute),
    ];
    const wait = this.enforced ? Math.max(...waits) : 0;
    if (counts && wait === 0) this.times.push(now);
    // Uncounted requests would grow without bound where nothing is refused.
    if (!this.enforced && this.times.length > this.limit.perHour) this.times.shift();
    return {
      allowed: wait === 0,
      limit: this.limit.perHour,
      remaining: Math.max(0, this.limit.perHour - this.times.length),
      reset: Math.ceil(((this.times[0] ?? now) + hour) / 1000),
      retryAfter: Math.ceil(wait / 1000),
    };
  }

  /** Milliseconds until the window has room. */
  private wait(now: number, window: number, limit: number): number {
    const blocking = this.times[this.times.length - limit];
    if (blocking === undefined || blocking <= now - window) return 0;
    return blocking + window - now;
  }
}

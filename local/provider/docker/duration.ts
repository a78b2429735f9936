const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of a Go duration such as `1m30s`; what cannot be read is 0, as in the official provider. */
export function nanoseconds(duration: string): number {
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return parts.reduce(
    (sum, [, amount, unit = ""]) => sum + Math.round(Number(amount) * (UNITS[unit] ?? 0)),
    0,
  );
}

/** Go's shortest text for a duration, without trailing zero parts: `90s` is `1m30s`, `60s` is `1m`. */
export function duration(value: number): string {
  if (value < 1e9) {
    const unit = value >= 1e6 ? "ms" : value >= 1e3 ? "µs" : "ns";
    return value === 0 ? "0s" : `${value / (UNITS[unit] ?? 1)}${unit}`;
  }
  const hours = Math.floor(value / 3600e9);
  const minutes = Math.floor((value % 3600e9) / 60e9);
  const seconds = (value % 60e9) / 1e9;
  const all = `${hours > 0 ? `${hours}h` : ""}${hours + minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
  return all.replace(/m0s$/, "m").replace(/h0m$/, "h");
}

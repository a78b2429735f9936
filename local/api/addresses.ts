/** IPv4 arithmetic: CIDRs, overlaps and the next free address. */

export interface Range {
  /** First address, as an unsigned 32-bit number. */
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

/** @returns the address as an unsigned number, or undefined when the text is no dotted quad. */
export function parseAddress(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const bytes = match.slice(1).map(Number);
  if (bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

/** @returns the range of an IPv4 CIDR (host bits are ignored), or undefined when it is none. */
export function parseCidr(text: string): Range | undefined {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  const address = match && parseAddress(match[1] ?? "");
  const prefix = Number(match?.[2]);
  if (address === undefined || address === null || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const first = address - (address % size);
  return { first, last: first + size - 1, prefix };
}

export const overlaps = (a: Range, b: Range) => a.first <= b.last && b.first <= a.last;

export const contains = (outer: Range, inner: Range) =>
  outer.first <= inner.first && inner.last <= outer.last;

export function netmask(prefix: number): string {
  return formatAddress((2 ** 32 - 2 ** (32 - prefix)) >>> 0);
}

/**
 * The first free host address after `previous`, going round at the end, so that an address that was let go is the last
 * one to come back.
 *
 * @param reserved how many addresses at the start of the range are never given (network address, gateway).
 * @returns undefined when the range is full.
 */
export function nextAddress(
  range: Range,
  previous: string | undefined,
  taken: ReadonlySet<string>,
  reserved = 2,
): string | undefined {
  const lowest = range.first + reserved;
  const highest = range.last - 1;
  const count = highest - lowest + 1;
  const start = (previous === undefined ? undefined : parseAddress(previous)) ?? lowest - 1;
  for (let step = 1; step <= count; step++) {
    let value = start + step;
    if (value > highest) value -= count;
    const address = formatAddress(value);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

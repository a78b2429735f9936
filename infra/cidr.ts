/** IPv4 ranges as numbers; nothing here touches the network. */

/** An IPv4 range, both ends included. */
export interface Ipv4Range {
  readonly first: number;
  readonly last: number;
  /** Prefix length, 0 to 32. */
  readonly prefix: number;
}

/** @returns the address as an unsigned 32-bit number, or undefined when `text` is no IPv4 address. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || String(Number(part)) !== part) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** @returns the range, or undefined when `text` is no IPv4 CIDR or has bits set beyond its prefix. */
export function parseCidr(text: string): Ipv4Range | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^(\d|[12]\d|3[0-2])$/.test(length)) return undefined;
  const first = parseIpv4(address);
  const size = 2 ** (32 - Number(length));
  if (first === undefined || first % size !== 0) return undefined;
  return { first, last: first + size - 1, prefix: Number(length) };
}

export function overlaps(a: Ipv4Range, b: Ipv4Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

export function within(inner: Ipv4Range, outer: Ipv4Range): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}

/** @returns whether `address` lies in `cidr`; false when either is malformed. */
export function contains(cidr: string, address: string): boolean {
  const range = parseCidr(cidr);
  const value = parseIpv4(address);
  return range !== undefined && value !== undefined && range.first <= value && value <= range.last;
}

/** @returns whether `text` is an IPv6 CIDR such as `2001:db8::/32`. */
export function isIpv6Cidr(text: string): boolean {
  const match = /^([0-9a-f:]+)\/(\d{1,3})$/i.exec(text);
  if (match === null || Number(match[2]) > 128) return false;
  try {
    return new URL(`http://[${match[1]}]/`).hostname.length > 0;
  } catch {
    return false;
  }
}

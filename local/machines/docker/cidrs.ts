/** IPv4 CIDRs without those that lie inside another, which nft refuses in one set; IPv6 is left out. */
export function disjoint(cidrs: readonly string[]): string[] {
  const ranges = cidrs
    .filter((cidr) => !cidr.includes(":"))
    .map((cidr) => {
      const [address = "", length = "32"] = cidr.split("/");
      const bits = Number(length);
      const size = 2 ** (32 - bits);
      const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
      const start = Math.floor(number / size) * size;
      return { text: `${dotted(start)}/${bits}`, start, end: start + size - 1 };
    })
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: typeof ranges = [];
  for (const range of ranges) {
    const last = kept.at(-1);
    if (last === undefined || range.start > last.end) kept.push(range);
  }
  return kept.map(({ text }) => text);
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** A Load Balancer's own rules say `ip:203.0.113.7` or `cidr:203.0.113.0/24`. */
export const asCidr = (entry: string): string =>
  entry.startsWith("cidr:") ? entry.slice("cidr:".length) : `${entry.replace(/^ip:/, "")}/32`;

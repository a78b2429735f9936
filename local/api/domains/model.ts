import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { unprocessable } from "../errors";
import type { Store } from "../store";

export interface DomainRecord {
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** One DNS record. Names of hosts in `data` are kept without the trailing dot, as DigitalOcean shows them. */
export interface DomainRecordRecord {
  readonly id: number;
  readonly domain: string;
  readonly type: RecordType;
  /** Relative to the domain; `@` is the domain itself. */
  readonly name: string;
  readonly data: string;
  readonly priority: number | null;
  readonly port: number | null;
  readonly ttl: number;
  readonly weight: number | null;
  readonly flags: number | null;
  readonly tag: string | null;
}

export const recordTypes = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"] as const;
export type RecordType = (typeof recordTypes)[number];

export const defaultTtl = 1800;
export const nameServers = ["ns1.digitalocean.com", "ns2.digitalocean.com", "ns3.digitalocean.com"];

/** https://docs.digitalocean.com/reference/api/ "Domain Records" */
const minTtl = 30;

const integer = z.number().int().nullish();

export const recordInput = z.object({
  type: z.string({ error: "Type can't be blank" }),
  name: z.string().nullish(),
  data: z.string().nullish(),
  priority: integer,
  port: integer,
  ttl: integer,
  weight: integer,
  flags: integer,
  tag: z.string().nullish(),
});

export type RecordInput = z.output<typeof recordInput>;

/** @throws {ApiError} 422 when the text cannot be a domain's name. */
export function checkDomainName(name: string): string {
  const label = /^[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?$/i;
  const labels = name.split(".");
  if (name.length > 253 || labels.length < 2 || !labels.every((each) => label.test(each)))
    throw unprocessable(
      "Name Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)",
    );
  return name.toLowerCase();
}

const relativeName =
  /^(@|\*|(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*)$/i;

/** A name inside the domain: full names are taken too, with their dot. */
function checkName(domain: string, given: string | null | undefined): string {
  const text = (given ?? "").replace(
    new RegExp(`\\.?${domain.replaceAll(".", "\\.")}\\.$`, "i"),
    "",
  );
  const name = text === "" ? "@" : text;
  if (!relativeName.test(name)) throw unprocessable(`Name ${name} is not a valid record name.`);
  return name;
}

/** The data of records that point to a host: `@`, or a full name that says so with a dot. */
function checkHost(data: string, needsDot = true): string {
  if (data === "@" || data === ".") return data;
  if (needsDot && !data.endsWith(".")) throw unprocessable("Data needs to end with a dot (.)");
  return data.replace(/\.$/, "");
}

function inRange(name: string, value: number | null | undefined, max: number): number {
  if (value === null || value === undefined) throw unprocessable(`${name} can't be blank`);
  if (value < 0 || value > max) throw unprocessable(`${name} must be between 0 and ${max}`);
  return value;
}

/**
 * Checks a record by its type's rules.
 *
 * @throws {ApiError} 422.
 */
export function checkRecord(
  domain: DomainRecord,
  input: RecordInput,
): Omit<DomainRecordRecord, "id"> {
  const type = recordTypes.find((each) => each === input.type.toUpperCase());
  if (!type) throw unprocessable("Type is not included in the list");
  if (type === "SOA") throw unprocessable("SOA records cannot be created");
  const data = input.data?.trim() ?? "";
  if (data === "") throw unprocessable("Data can't be blank");
  const ttl = input.ttl || domain.ttl;
  if (ttl < minTtl) throw unprocessable(`Ttl must be greater than or equal to ${minTtl}`);
  const record = {
    domain: domain.name,
    type,
    name: checkName(domain.name, input.name),
    data,
    priority: null,
    port: null,
    ttl,
    weight: null,
    flags: null,
    tag: null,
  };
  switch (type) {
    case "A":
      if (!isIPv4(data)) throw unprocessable("Data is not a valid IPv4 address.");
      return record;
    case "AAAA":
      if (!isIPv6(data)) throw unprocessable("Data is not a valid IPv6 address.");
      return record;
    case "TXT":
      if (data.length > 65_535) throw unprocessable("Data is too long");
      return record;
    case "CNAME":
      if (record.name === "@")
        throw unprocessable("CNAME records cannot be made for the domain itself.");
      return { ...record, data: checkHost(data) };
    case "NS":
      return { ...record, data: checkHost(data) };
    case "MX":
      return {
        ...record,
        data: checkHost(data),
        priority: inRange("Priority", input.priority, 65_535),
      };
    case "SRV":
      return {
        ...record,
        data: checkHost(data),
        priority: inRange("Priority", input.priority, 65_535),
        port: inRange("Port", input.port, 65_535),
        weight: inRange("Weight", input.weight, 65_535),
      };
    case "CAA":
      if (!["issue", "issuewild", "iodef"].includes(input.tag ?? ""))
        throw unprocessable("Tag must be issue, issuewild or iodef");
      return {
        ...record,
        data: checkHost(data, false),
        flags: inRange("Flags", input.flags ?? 0, 255),
        tag: input.tag ?? null,
      };
  }
}

/** A CNAME stands alone at its name, and no record is there twice. */
export function refuseClash(
  store: Store,
  record: Omit<DomainRecordRecord, "id">,
  id?: number,
): void {
  const others = store.domainRecords.filter(
    (each) => each.domain === record.domain && each.name === record.name && each.id !== id,
  );
  if (others.some((each) => each.type === "CNAME" || record.type === "CNAME"))
    throw unprocessable("CNAME records cannot share a name with other records");
  if (others.some((each) => each.type === record.type && each.data === record.data))
    throw unprocessable("Record already exists");
}

export const recordView = ({ domain: _domain, ...record }: DomainRecordRecord) => record;

/** The account's domain that a full name is in, or is; the longest one. */
export const domainOf = (store: Store, name: string): DomainRecord | undefined =>
  store.domains
    .filter((domain) => name === domain.name || name.endsWith(`.${domain.name}`))
    .sort((a, b) => b.name.length - a.name.length)[0];

/** The zone as a text that name servers read. */
export function zoneFile(domain: DomainRecord, records: readonly DomainRecordRecord[]): string {
  const dotted = (data: string) => (data === "@" || data === "." ? data : `${data}.`);
  const lines = records.map((record) => {
    const owner = record.name === "@" ? `${domain.name}.` : `${record.name}.${domain.name}.`;
    const head = `${owner} ${record.ttl} IN ${record.type}`;
    switch (record.type) {
      case "SOA":
        return `${head} ${nameServers[0]}. hostmaster.${domain.name}. ${Math.floor(Date.parse(domain.createdAt) / 1000)} 10800 3600 604800 ${record.data}`;
      case "CNAME":
      case "NS":
        return `${head} ${dotted(record.data)}`;
      case "MX":
        return `${head} ${record.priority} ${dotted(record.data)}`;
      case "SRV":
        return `${head} ${record.priority} ${record.weight} ${record.port} ${dotted(record.data)}`;
      case "CAA":
        return `${head} ${record.flags} ${record.tag} "${record.data}"`;
      case "TXT":
        return `${head} ${JSON.stringify(record.data)}`;
      case "A":
      case "AAAA":
        return `${head} ${record.data}`;
    }
  });
  return [`$ORIGIN ${domain.name}.`, `$TTL ${domain.ttl}`, ...lines, ""].join("\n");
}

export const domainView = (store: Store, domain: DomainRecord) => ({
  name: domain.name,
  ttl: domain.ttl,
  zone_file: zoneFile(
    domain,
    store.domainRecords.filter((record) => record.domain === domain.name),
  ),
});

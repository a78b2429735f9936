import type { CheckFailure } from "../../framework/check";
import type { ResourceType } from "../../framework/provider";
import { number, string } from "../../framework/schema";
import { text, type Values } from "../../framework/values";
import type { ApiClient } from "../client";

interface ApiDomain {
  readonly name: string;
  readonly ttl: number;
}

interface ApiRecord {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly data: string;
  readonly priority: number | null;
  readonly port: number | null;
  readonly ttl: number;
  readonly weight: number | null;
  readonly flags: number | null;
  readonly tag: string | null;
}

const existingDomain = ({ domain }: { domain: ApiDomain }) => ({
  id: domain.name,
  state: { name: domain.name, ttl: domain.ttl, domainUrn: `do:domain:${domain.name}` },
});

export const domain: ResourceType<ApiClient> = {
  inputs: {
    name: string({ required: true, replace: true }),
    ipAddress: string({ replace: true }),
  },
  outputs: ["ttl", "domainUrn"],
  async create(client, inputs) {
    const made = await client.post<{ domain: ApiDomain }>("/domains", {
      name: inputs.name,
      ...(inputs.ipAddress ? { ip_address: inputs.ipAddress } : {}),
    });
    // The answer to a creation may lack the TTL.
    return existingDomain(
      (await client.find<{ domain: ApiDomain }>(`/domains/${made.domain.name}`)) ?? made,
    );
  },
  async read(client, id) {
    const found = await client.find<{ domain: ApiDomain }>(`/domains/${id}`);
    return found && existingDomain(found);
  },
  delete: (client, id) => client.remove(`/domains/${id}`),
};

/** Record types whose data is a host name, given with a trailing dot but answered without (P :218). */
const HOST_TYPES = ["CNAME", "MX", "NS", "SRV", "CAA"];

function existingRecord(record: ApiRecord, zone: string) {
  const dot =
    HOST_TYPES.includes(record.type) && record.data !== "@" && record.tag !== "iodef" ? "." : "";
  const value = record.data.endsWith(".") ? record.data : record.data + dot;
  return {
    id: String(record.id),
    state: {
      domain: zone,
      type: record.type,
      name: record.name,
      value,
      priority: record.priority ?? 0,
      port: record.port ?? 0,
      ttl: record.ttl,
      weight: record.weight ?? 0,
      flags: record.flags ?? 0,
      tag: record.tag ?? "",
      fqdn: fullName(record.name, zone),
    },
  };
}

function fullName(name: string, zone: string): string {
  if (name === "@") {
    return zone;
  }
  const lower = name.toLowerCase();
  return lower.endsWith(`${zone}.`) ? lower.replace(/\.$/, "") : `${name}.${zone}`;
}

const request = (inputs: Values): Values => ({
  type: inputs.type,
  name: inputs.name,
  data: inputs.value,
  priority: inputs.priority,
  port: inputs.port,
  ttl: inputs.ttl,
  weight: inputs.weight,
  flags: inputs.flags,
  tag: inputs.tag,
});

/** What each record type needs (P domain/resource_record.go: CustomizeDiff and Create). */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  MX: ["priority"],
  SRV: ["priority", "weight", "port"],
  CAA: ["flags", "tag"],
};

function faults(inputs: Values): CheckFailure[] {
  return (NEEDED[text(inputs.type)] ?? [])
    .filter((property) => inputs[property] === undefined)
    .map((property) => ({
      property,
      reason: `\`${property}\` is required for when type is \`${text(inputs.type)}\``,
    }));
}

/** `old` without the zone means the same as the full name that was given. */
const sameName = (old: unknown, given: unknown, olds: Values): boolean => {
  const zone = `${text(olds.domain)}.`;
  return (old === "@" && given === zone) || `${text(old)}.${zone}` === given;
};

const sameValue = (old: unknown, given: unknown, olds: Values): boolean => {
  const zone = `${text(olds.domain)}.`;
  return (old === "@" && given === zone) || old === `${text(given)}.${zone}`;
};

export const dnsRecord: ResourceType<ApiClient> = {
  inputs: {
    domain: string({ required: true, replace: true }),
    type: string({ required: true, replace: true }),
    name: string({ same: sameName }),
    value: string({ required: true, same: sameValue }),
    priority: number(),
    port: number(),
    ttl: number({ computed: true }),
    weight: number(),
    flags: number(),
    tag: string(),
  },
  outputs: ["fqdn"],
  autoname: true,
  validate: faults,
  async create(client, inputs) {
    const zone = text(inputs.domain);
    const made = await client.post<{ domain_record: ApiRecord }>(
      `/domains/${zone}/records`,
      request(inputs),
    );
    return existingRecord(made.domain_record, zone);
  },
  async read(client, id, known) {
    // Imports are given as `<domain>,<record ID>`.
    const [zone = "", record = ""] = id.includes(",") ? id.split(",") : [text(known.domain), id];
    const found = await client.find<{ domain_record: ApiRecord }>(
      `/domains/${zone}/records/${record}`,
    );
    return found && existingRecord(found.domain_record, zone);
  },
  async update(client, id, { news }) {
    const zone = text(news.domain);
    const updated = await client.put<{ domain_record: ApiRecord }>(
      `/domains/${zone}/records/${id}`,
      request(news),
    );
    return existingRecord(updated.domain_record, zone);
  },
  delete: (client, id, state) => client.remove(`/domains/${text(state.domain)}/records/${id}`),
};

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { notFound, unprocessable } from "../errors";
import { numericId, parse } from "../input";
import { paginate, type Query } from "../pagination";
import { assign, unassign } from "../projects/model";
import {
  checkDomainName,
  checkRecord,
  defaultTtl,
  type DomainRecord,
  type DomainRecordRecord,
  domainView,
  nameServers,
  recordInput,
  recordView,
  refuseClash,
} from "./model";

interface DomainPath {
  Params: { domain: string };
}
interface RecordPath {
  Params: { domain: string; record: string };
}

const creation = z.object({
  name: z.string({ error: "Name can't be blank" }),
  ip_address: z.string().nullish(),
});

export function domainRoutes(app: FastifyInstance, context: Context): void {
  const { store, now } = context;

  const find = (name: string): DomainRecord => {
    const domain = store.domains.get(name.toLowerCase());
    if (!domain) throw notFound();
    return domain;
  };
  const findRecord = ({ domain, record: id }: RecordPath["Params"]): DomainRecordRecord => {
    const record = store.domainRecords.get(numericId(id));
    if (record?.domain !== find(domain).name) throw notFound();
    return record;
  };
  const add = (record: Omit<DomainRecordRecord, "id">): DomainRecordRecord => {
    const created = { ...record, id: store.nextId("domainRecord") };
    store.domainRecords.put(created.id, created);
    return created;
  };

  app.get("/v2/domains", (request) =>
    paginate(
      request,
      "domains",
      store.domains.all().map((domain) => domainView(store, domain)),
    ),
  );

  app.post("/v2/domains", (request, reply) => {
    const input = parse(creation, request.body);
    const name = checkDomainName(input.name);
    const domain = store.transaction(() => {
      if (store.domains.get(name)) throw unprocessable(`Domain '${name}': Name already exists`);
      const record = { name, ttl: defaultTtl, createdAt: now().toISOString() };
      store.domains.put(name, record);
      assign(context, `do:domain:${name}`);
      const blank = { domain: name, name: "@", priority: null, port: null };
      const rest = { ttl: defaultTtl, weight: null, flags: null, tag: null };
      add({ ...blank, ...rest, type: "SOA", data: String(defaultTtl) });
      for (const data of nameServers) add({ ...blank, ...rest, type: "NS", data });
      if (input.ip_address)
        add(
          checkRecord(record, {
            type: input.ip_address.includes(":") ? "AAAA" : "A",
            name: "@",
            data: input.ip_address,
          }),
        );
      return record;
    });
    // As with DigitalOcean, the zone is not there yet when the domain is acknowledged.
    return reply.code(201).send({ domain: { name: domain.name, ttl: null, zone_file: null } });
  });

  app.get<DomainPath>("/v2/domains/:domain", ({ params }) => ({
    domain: domainView(store, find(params.domain)),
  }));

  app.delete<DomainPath>("/v2/domains/:domain", (request, reply) => {
    store.transaction(() => {
      const { name } = find(request.params.domain);
      for (const { id } of store.domainRecords.filter((each) => each.domain === name))
        store.domainRecords.remove(id);
      store.domains.remove(name);
      unassign(store, `do:domain:${name}`);
    });
    return reply.code(204).send();
  });

  app.get<DomainPath>("/v2/domains/:domain/records", (request) => {
    const domain = find(request.params.domain);
    const { type, name } = request.query as Query;
    const fullName = (record: DomainRecordRecord) =>
      record.name === "@" ? domain.name : `${record.name}.${domain.name}`;
    const records = store.domainRecords.filter(
      (record) =>
        record.domain === domain.name &&
        (!type || record.type === type.toUpperCase()) &&
        (!name || fullName(record).toLowerCase() === name.toLowerCase().replace(/\.$/, "")),
    );
    return paginate(request, "domain_records", records.map(recordView));
  });

  app.post<DomainPath>("/v2/domains/:domain/records", (request, reply) => {
    const input = parse(recordInput, request.body);
    const record = store.transaction(() => {
      const checked = checkRecord(find(request.params.domain), input);
      refuseClash(store, checked);
      return add(checked);
    });
    return reply.code(201).send({ domain_record: recordView(record) });
  });

  app.get<RecordPath>("/v2/domains/:domain/records/:record", ({ params }) => ({
    domain_record: recordView(findRecord(params)),
  }));

  const update = (params: RecordPath["Params"], body: unknown) => {
    const changes = parse(recordInput.partial(), body);
    return store.transaction(() => {
      const domain = find(params.domain);
      const before = findRecord(params);
      if (before.type === "SOA") {
        const ttl = changes.ttl ?? before.ttl;
        store.domains.put(domain.name, { ...domain, ttl });
        store.domainRecords.put(before.id, { ...before, ttl });
        return { domain_record: recordView(findRecord(params)) };
      }
      const host = ["CNAME", "NS", "MX", "SRV", "CAA"].includes(before.type);
      const kept = host && before.data !== "@" ? `${before.data}.` : before.data;
      const given = Object.fromEntries(
        Object.entries(changes).filter(([, value]) => value !== undefined),
      );
      const checked = checkRecord(domain, { ...before, data: kept, ...given });
      refuseClash(store, checked, before.id);
      store.domainRecords.put(before.id, { ...checked, id: before.id });
      return { domain_record: recordView(findRecord(params)) };
    });
  };
  app.put<RecordPath>("/v2/domains/:domain/records/:record", ({ params, body }) =>
    update(params, body),
  );
  app.patch<RecordPath>("/v2/domains/:domain/records/:record", ({ params, body }) =>
    update(params, body),
  );

  app.delete<RecordPath>("/v2/domains/:domain/records/:record", (request, reply) => {
    store.transaction(() => store.domainRecords.remove(findRecord(request.params).id));
    return reply.code(204).send();
  });
}

import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { GuardSpec } from "../../machines/machines";
import { parseAddress, parseCidr } from "../addresses";
import type { Context } from "../context";
import type { DropletRecord } from "../droplets/model";
import { unprocessable } from "../errors";
import { parse } from "../input";
import { hasTag } from "../tags/model";
import { facts } from "./catalogue";
import {
  type DatabaseRecord,
  findDatabase,
  findReplica,
  patchReplica,
  type TrustedSource,
} from "./model";
import { ruleView } from "./view";

/** https://docs.digitalocean.com/products/databases/postgresql/details/limits/ */
const mostSources = 100;

export const sourceInput = z.object({
  uuid: z.string().nullish(),
  type: z.enum(["droplet", "ip_addr", "tag"], {
    error:
      "type must be droplet, ip_addr or tag: the local DigitalOcean has no Kubernetes clusters and apps",
  }),
  value: z.string().min(1, "value is required"),
  description: z.string().nullish(),
});

function checkSource({ store }: Context, { type, value }: z.output<typeof sourceInput>): void {
  if (type === "ip_addr" && parseAddress(value) === undefined && !parseCidr(value))
    throw unprocessable(`${value} is not an IPv4 address or CIDR`);
  if (type === "droplet" && !store.droplets.get(Number(value) || 0))
    throw unprocessable(`droplet ${value} does not exist`);
}

/**
 * Sources as they were given, those that were there before with their ids.
 *
 * @throws {ApiError} 422.
 */
export function readSources(
  context: Context,
  wanted: readonly z.output<typeof sourceInput>[],
  before: readonly TrustedSource[],
): TrustedSource[] {
  if (wanted.length > mostSources)
    throw unprocessable(`there can be at most ${mostSources} trusted sources`);
  const unique = new Map(wanted.map((each) => [`${each.type} ${each.value}`, each]));
  return [...unique.values()].map((source) => {
    checkSource(context, source);
    const { type, value } = source;
    const known = before.find((each) => each.type === type && each.value === value);
    return {
      id: known?.id ?? randomUUID(),
      type,
      value,
      description: source.description ?? "",
      createdAt: known?.createdAt ?? context.now().toISOString(),
    };
  });
}

function addressesOf({ type, value }: TrustedSource, droplets: readonly DropletRecord[]): string[] {
  if (type === "ip_addr") return [parseCidr(value) ? value : `${value}/32`];
  return droplets
    .filter((each) => (type === "tag" ? hasTag(each, value) : each.id === Number(value)))
    .flatMap(({ privateIp, publicIp }) => (publicIp ? [privateIp, publicIp] : [privateIp]))
    .map((address) => `${address}/32`);
}

/** Who reaches a cluster: its trusted sources, or with none everybody. */
export function databaseGuard(
  { engine, vpcId, privateIp, rules }: DatabaseRecord,
  droplets: readonly DropletRecord[],
): GuardSpec {
  const { port } = facts[engine];
  const cidrs =
    rules.length === 0
      ? ["0.0.0.0/0"]
      : [...new Set(rules.flatMap((rule) => addressesOf(rule, droplets)))];
  const ports = engine === "pg" ? `${port}-${port + 1}` : String(port);
  return { vpcId, privateIp, inbound: [{ protocol: "tcp", ports, cidrs }] };
}

interface DatabasePath {
  Params: { database: string };
}

/** The trusted sources of clusters, and of replicas by their own ids. */
export function trustedSourceRoutes(app: FastifyInstance, context: Context): void {
  const { store, network } = context;
  const path = "/v2/databases/:database/firewall";
  const body = z.object({ rules: z.array(sourceInput).nullish() });
  const find = (id: string) => findReplica(store, id)?.replica ?? findDatabase(store, id);

  app.get<DatabasePath>(path, ({ params }) => {
    const { id, rules } = find(params.database);
    return { rules: rules.map((rule) => ruleView(id, rule)) };
  });

  app.put<DatabasePath>(path, async (request, reply) => {
    const wanted = parse(body, request.body).rules ?? [];
    store.transaction(() => {
      const { id, rules: before } = find(request.params.database);
      const rules = readSources(context, wanted, before);
      if (findReplica(store, id)) patchReplica(store, id, { rules });
      else store.databases.patch(id, { rules });
    });
    await network.sync();
    return reply.code(204).send();
  });
}

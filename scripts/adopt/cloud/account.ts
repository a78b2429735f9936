/** What a DigitalOcean account has that was made by hand. Only read. */
import { z } from "zod";
import { Fault } from "../../../local/fault";
import { ask } from "../../../providers/http";
import type { Api } from "../../stack-state";

const droplet = z.looseObject({
  id: z.number(),
  name: z.string(),
  size_slug: z.string(),
  region: z.looseObject({ slug: z.string() }),
  image: z.looseObject({ slug: z.string().nullish() }),
  vpc_uuid: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  volume_ids: z.array(z.string()).default([]),
  networks: z.looseObject({
    v4: z.array(z.looseObject({ ip_address: z.string(), type: z.string() })).default([]),
  }),
});

const vpc = z.looseObject({
  id: z.string(),
  name: z.string(),
  ip_range: z.string(),
  region: z.string(),
  default: z.boolean().default(false),
});

const cluster = z.looseObject({
  id: z.string(),
  name: z.string(),
  engine: z.string(),
  version: z.string(),
  size: z.string(),
  num_nodes: z.number(),
  region: z.string(),
  private_network_uuid: z.string().nullish(),
});

const volume = z.looseObject({
  id: z.string(),
  name: z.string(),
  size_gigabytes: z.number(),
  filesystem_type: z.string().nullish(),
  droplet_ids: z.array(z.number()).nullish(),
  region: z.looseObject({ slug: z.string() }),
});

const reservedIp = z.looseObject({
  ip: z.string(),
  droplet: z.looseObject({ id: z.number() }).nullish(),
});

const record = z.looseObject({
  id: z.number(),
  type: z.string(),
  name: z.string(),
  data: z.string(),
  ttl: z.number(),
});

export type FoundDroplet = z.infer<typeof droplet>;
export type FoundVpc = z.infer<typeof vpc>;
export type FoundCluster = z.infer<typeof cluster>;
export type FoundVolume = z.infer<typeof volume>;
export type FoundRecord = z.infer<typeof record> & { readonly zone: string };

export interface FoundAccount {
  readonly droplets: readonly FoundDroplet[];
  readonly vpcs: readonly FoundVpc[];
  readonly clusters: readonly FoundCluster[];
  readonly volumes: readonly FoundVolume[];
  readonly reservedIps: readonly z.infer<typeof reservedIp>[];
  /** A records of all zones. */
  readonly records: readonly FoundRecord[];
}

/** @throws {Fault} when the API refuses or cannot be asked. */
export async function readAccount(api: Api): Promise<FoundAccount> {
  const list = <T>(path: string, root: string, schema: z.ZodType<T>) =>
    listAll(api, path, root, schema);
  const [droplets, vpcs, clusters, volumes, reservedIps, domains] = await Promise.all([
    list("droplets", "droplets", droplet),
    list("vpcs", "vpcs", vpc),
    list("databases", "databases", cluster),
    list("volumes", "volumes", volume),
    list("reserved_ips", "reserved_ips", reservedIp),
    list("domains", "domains", z.looseObject({ name: z.string() })),
  ]);
  const records = await Promise.all(
    domains.map(async ({ name: zone }) => {
      const all = await list(`domains/${zone}/records`, "domain_records", record);
      return all.filter(({ type }) => type === "A").map((one) => ({ ...one, zone }));
    }),
  );
  return { droplets, vpcs, clusters, volumes, reservedIps, records: records.flat() };
}

const PER_PAGE = 200;

async function listAll<T>(
  { url, token }: Api,
  path: string,
  root: string,
  schema: z.ZodType<T>,
): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; ; page++) {
    const answer = await ask(`${url}/v2/${path}?per_page=${PER_PAGE}&page=${page}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (answer.status !== 200) {
      throw new Fault(
        `DigitalOcean answered ${answer.status} to GET /v2/${path}; nothing was written.`,
      );
    }
    const body = JSON.parse(answer.body) as Record<string, unknown>;
    const some = z.array(schema).parse(body[root] ?? []);
    all.push(...some);
    if (some.length < PER_PAGE) return all;
  }
}

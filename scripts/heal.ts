/**
 * Puts a stack right after an interrupted update (kill -9, power loss): the engine then has creates that it
 * began and never saw the end of. What was made is adopted into the stack; what was not is forgotten.
 *
 * Without this, a second `up` would make a second Droplet, or fail on a name that is taken.
 */
import { z } from "zod";

/** One Pulumi command on the stack in question. */
export type RunPulumi = (
  words: readonly string[],
) => Promise<{ code: number; stdout: string; stderr: string }>;

export interface Api {
  readonly url: string;
  readonly token: string;
}

const exportSchema = z.object({
  deployment: z
    .object({
      resources: z
        .array(z.object({ urn: z.string(), type: z.string(), id: z.string().optional() }))
        .optional(),
      pending_operations: z
        .array(
          z.object({
            type: z.string(),
            resource: z.object({
              urn: z.string(),
              type: z.string(),
              inputs: z.record(z.string(), z.unknown()).optional(),
            }),
          }),
        )
        .optional(),
    })
    .nullish(),
});

type Inputs = Record<string, unknown>;
type Listed = Record<string, unknown>;

/** Where DigitalOcean lists a type, and which of the listed is the one that the inputs ask for. */
interface NaturalKey {
  readonly path: (inputs: Inputs) => string;
  readonly root: string;
  readonly id: string;
  readonly same: (listed: Listed, inputs: Inputs) => boolean;
}

const byName = (path: string, root: string, id = "id"): NaturalKey => ({
  path: () => path,
  root,
  id,
  same: (listed, inputs) => listed.name === inputs.name,
});

const naturalKeys: Readonly<Record<string, NaturalKey>> = {
  "digitalocean:index/vpc:Vpc": byName("vpcs", "vpcs"),
  "digitalocean:index/firewall:Firewall": byName("firewalls", "firewalls"),
  "digitalocean:index/project:Project": byName("projects", "projects"),
  "digitalocean:index/domain:Domain": byName("domains", "domains", "name"),
  "digitalocean:index/tag:Tag": byName("tags", "tags", "name"),
  "digitalocean:index/droplet:Droplet": byName("droplets", "droplets"),
  "digitalocean:index/volume:Volume": byName("volumes", "volumes"),
  "digitalocean:index/sshKey:SshKey": {
    ...byName("account/keys", "ssh_keys"),
    same: (listed, inputs) => String(listed.public_key).trim() === String(inputs.publicKey).trim(),
  },
  "digitalocean:index/dnsRecord:DnsRecord": {
    ...byName("", "domain_records"),
    path: (inputs) => `domains/${String(inputs.domain)}/records`,
    same: (listed, inputs) =>
      listed.type === inputs.type && listed.name === inputs.name && listed.data === inputs.value,
  },
  // A Reserved IP has no name: one that leads nowhere, in the right region, is taken to be it.
  "digitalocean:index/reservedIp:ReservedIp": {
    ...byName("reserved_ips", "reserved_ips", "ip"),
    same: (listed, inputs) =>
      listed.droplet === null && (listed.region as Listed).slug === inputs.region,
  },
};

/** @returns lines that say what was done; none when nothing was interrupted. */
export async function heal(pulumi: RunPulumi, api: Api): Promise<string[]> {
  const exported = await pulumi(["stack", "export"]);
  if (exported.code !== 0) return [];
  const { deployment } = exportSchema.parse(JSON.parse(exported.stdout));
  const pending = (deployment?.pending_operations ?? []).filter(({ type }) => type === "creating");
  if (pending.length === 0) return [];
  const known = new Set(deployment?.resources?.map(({ type, id }) => `${type} ${id ?? ""}`));
  const adopted: string[] = [];
  const lines: string[] = [];
  for (const { resource } of pending) {
    const name = resource.urn.split("::").at(-1) ?? resource.urn;
    const found = await find(api, resource.type, resource.inputs ?? {}, known);
    if (found) adopted.push(resource.urn, found);
    lines.push(
      found
        ? `${name}: its creation was interrupted; ${resource.type.split(":").at(-1) ?? ""} ${found} exists and is adopted`
        : `${name}: its creation was interrupted; nothing was made`,
    );
  }
  const refreshed = await pulumi([
    "refresh",
    "--yes",
    "--skip-preview",
    ...adopted.flatMap((urnOrId) => ["--import-pending-creates", urnOrId]),
    "--clear-pending-creates",
  ]);
  if (refreshed.code !== 0) {
    throw new Error(
      `The stack could not be put right after an interruption:\n${refreshed.stdout}${refreshed.stderr}`,
    );
  }
  return lines;
}

async function find(
  api: Api,
  type: string,
  inputs: Inputs,
  known: ReadonlySet<string>,
): Promise<string | undefined> {
  const key = naturalKeys[type];
  if (!key) return undefined;
  for (let page = 1; ; page++) {
    const response = await fetch(`${api.url}/v2/${key.path(inputs)}?per_page=200&page=${page}`, {
      headers: { authorization: `Bearer ${api.token}` },
    });
    if (response.status === 404) return undefined;
    if (!response.ok)
      throw new Error(`${api.url} answered ${response.status} to GET ${key.path(inputs)}`);
    const body = (await response.json()) as Record<string, unknown> & {
      links?: { pages?: { next?: string } };
    };
    for (const listed of body[key.root] as Listed[]) {
      const id = String(listed[key.id]);
      if (key.same(listed, inputs) && !known.has(`${type} ${id}`)) return id;
    }
    if (!body.links?.pages?.next) return undefined;
  }
}

/**
 * Puts a stack right after an interrupted update (kill -9, power loss): the engine then has creates that it
 * began and never saw the end of. What was made is adopted into the stack; what was not is forgotten.
 *
 * Without this, a second `up` would make a second Droplet, or fail on a name that is taken.
 */
import {
  exportState,
  importState,
  mustRun,
  type Api,
  type Resource,
  type RunPulumi,
} from "./stack-state";

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
  "digitalocean:index/vpcPeering:VpcPeering": byName("vpc_peerings", "vpc_peerings"),
  "digitalocean:index/vpcNatGateway:VpcNatGateway": byName("vpc_nat_gateways", "vpc_nat_gateways"),
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

/**
 * @returns lines that say what was done; none when nothing was interrupted.
 * @throws {Error} when the stack's state cannot be read or written.
 */
export async function heal(pulumi: RunPulumi, api: Api): Promise<string[]> {
  const state = await exportState(pulumi);
  const { resources = [], pending_operations = [] } = state.deployment ?? {};
  const pending = pending_operations.filter(({ type }) => type === "creating");
  if (pending.length === 0) return [];
  const known = new Set(resources.map(({ type, id }) => `${type} ${id ?? ""}`));
  const adopted: Resource[] = [];
  const lines: string[] = [];
  for (const operation of pending) {
    const { urn, type, inputs = {} } = operation.resource;
    const id = await find(api, type, inputs, known);
    // The engine has a flag for this, `refresh --import-pending-creates`, which 3.255 accepts and forgets.
    if (id !== undefined) adopted.push({ ...operation.resource, id, outputs: {} });
    const name = urn.split("::").at(-1) ?? urn;
    lines.push(
      id === undefined
        ? `${name}: its creation was interrupted; nothing was made`
        : `${name}: its creation was interrupted; ${type.split(":").at(-1) ?? ""} ${id} exists and is adopted`,
    );
  }
  await importState(pulumi, {
    ...state,
    deployment: {
      ...state.deployment,
      resources: [...resources, ...adopted],
      pending_operations: pending_operations.filter(({ type }) => type !== "creating"),
    },
  });
  if (adopted.length > 0) {
    const targets = adopted.flatMap(({ urn }) => ["--target", urn]);
    await mustRun(pulumi, ["refresh", "--yes", "--skip-preview", ...targets]);
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
